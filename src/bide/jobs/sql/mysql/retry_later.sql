UPDATE bide_jobs FORCE INDEX (PRIMARY)
SET state = :state, attempts = :attempts, last_error = :error, run_at = :run_at, pos = TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(6)) * 1000,
    locked_at = NULL, locked_by = NULL, worker_id = NULL
WHERE id = :id AND lease = :lease AND worker_id = :worker AND state = 1
