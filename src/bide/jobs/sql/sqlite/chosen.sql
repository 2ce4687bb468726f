SELECT id, key, name, priority, payload, attempts, crashes, max_attempts, run_at, lease + 1, last_error,
    created_at, locale, context
FROM bide_jobs
WHERE id IN (SELECT value FROM json_each(:ids))
