-- Safe because the transaction holds the only write lock since before it saw that they are this worker's.
UPDATE bide_jobs
SET state = 4, finished_at = :now, locked_at = NULL, locked_by = NULL, worker_id = NULL
WHERE id IN (SELECT value FROM json_each(:ids))
