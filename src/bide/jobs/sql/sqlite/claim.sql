-- Safe because the transaction holds the only write lock since before it read these jobs as ready.
-- RETURNING would keep a second copy of every row until the last one is written.
UPDATE bide_jobs
SET state = 1, lease = lease + 1, locked_at = :now, locked_by = :worker, worker_id = :worker_id
WHERE id IN (SELECT value FROM json_each(:ids))
