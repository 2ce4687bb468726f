-- The first ready jobs of one queue and priority that nobody else has locked.
SELECT id, `key`, name, queue, priority, state, payload, attempts, crashes, max_attempts, run_at,
    locked_at, locked_by, worker_id, lease, failed_at, finished_at, last_error, created_at, locale,
    context, pos
FROM bide_jobs FORCE INDEX (bide_jobs_ready)
WHERE state = 0 AND queue = :queue AND priority = :priority
ORDER BY pos, id
LIMIT :limit
FOR UPDATE SKIP LOCKED
