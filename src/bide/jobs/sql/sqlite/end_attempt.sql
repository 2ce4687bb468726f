-- Only while the attempt is still this worker's: no rows, no effect.
UPDATE bide_jobs
SET state = :state, attempts = :attempts, crashes = crashes + :crash, last_error = :error,
    run_at = coalesce(:run_at, run_at), pos = :pos, failed_at = :failed_at, finished_at = :failed_at,
    locked_at = NULL, locked_by = NULL, worker_id = NULL
WHERE id = :id AND lease = :lease AND worker_id = :worker_id AND state = 1
RETURNING id
