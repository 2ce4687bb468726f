UPDATE bide_jobs
SET state = 3, attempts = :attempts, last_error = :error, failed_at = :now, finished_at = :now,
    locked_at = NULL, locked_by = NULL, worker_id = NULL
WHERE id = :id AND lease = :lease AND worker_id + 0 = :worker AND state + 0 = 1
RETURNING id
