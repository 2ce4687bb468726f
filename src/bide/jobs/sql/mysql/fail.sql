UPDATE bide_jobs FORCE INDEX (PRIMARY)
SET state = 3, attempts = :attempts, last_error = :error, failed_at = :now, finished_at = :now,
    locked_at = NULL, locked_by = NULL, worker_id = NULL
WHERE id = :id AND lease = :lease AND worker_id = :worker AND state = 1
