-- Safe because the transaction holds the only write lock since before it chose the ids.
UPDATE bide_jobs
SET state = 1, lease = lease + 1, locked_at = :now, locked_by = :worker, worker_id = :worker_id
WHERE id IN (SELECT value FROM json_each(:ids))
RETURNING id, key, name, queue, priority, state, payload, attempts, crashes, max_attempts, run_at,
    locked_at, locked_by, worker_id, lease, failed_at, finished_at, last_error, created_at, locale, context
