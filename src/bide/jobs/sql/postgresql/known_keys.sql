SELECT key, id FROM bide_jobs WHERE key = ANY (:keys)
