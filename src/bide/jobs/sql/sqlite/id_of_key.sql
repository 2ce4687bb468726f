SELECT id FROM bide_jobs WHERE key = :key
