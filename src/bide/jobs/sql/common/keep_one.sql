UPDATE bide_jobs
SET state = 4, finished_at = :now, locked_at = NULL, locked_by = NULL, worker_id = NULL
WHERE id = :id AND lease = :lease AND worker_id = :worker AND state = 1
