-- Read from the head of the index of ready jobs, nothing is sorted.
SELECT id, key, name, priority, payload, attempts, crashes, max_attempts, run_at, lease + 1, last_error,
    created_at, locale, context
FROM bide_jobs
WHERE state = 0 AND queue = :queue AND priority BETWEEN :lowest AND :highest
ORDER BY priority, pos, id LIMIT :limit
