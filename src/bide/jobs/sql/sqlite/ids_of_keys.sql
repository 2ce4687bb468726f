SELECT key, id FROM bide_jobs WHERE key IN (SELECT value FROM json_each(:keys))
