UPDATE bide_jobs
SET state = :state, attempts = :attempts, last_error = :error, run_at = :run_at,
    pos = nextval('bide_jobs_pos_seq'), locked_at = NULL, locked_by = NULL, worker_id = NULL
WHERE id = :id AND lease = :lease AND worker_id + 0 = :worker AND state + 0 = 1
RETURNING queue, priority, pos
