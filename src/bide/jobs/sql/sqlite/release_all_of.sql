UPDATE bide_jobs
SET state = 0, pos = :pos, locked_at = NULL, locked_by = NULL, worker_id = NULL
WHERE state = 1 AND worker_id = :worker_id
RETURNING id
