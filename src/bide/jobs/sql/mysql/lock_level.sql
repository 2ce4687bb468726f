-- The first ready jobs of one queue and priority, from a place on, that nobody else has locked.
SELECT id, `key`, name, queue, priority, payload, attempts, crashes, max_attempts, run_at, lease,
    last_error, created_at, locale, context, pos
FROM bide_jobs FORCE INDEX (bide_jobs_ready)
WHERE state = 0 AND queue = :queue AND priority = :priority AND pos >= :pos
ORDER BY pos, id
LIMIT :limit
FOR UPDATE SKIP LOCKED
