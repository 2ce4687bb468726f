-- By the primary key alone: see finish.sql.
WITH lazy AS MATERIALIZED (
    SELECT set_config('synchronous_commit', 'off', true)
), done AS (
    UPDATE bide_jobs
    SET state = 4, finished_at = :now, locked_at = NULL, locked_by = NULL, worker_id = NULL
    WHERE id = ANY (:ids::bigint[]) AND lease = :lease AND worker_id + 0 = :worker AND state + 0 = 1
    RETURNING id
)
SELECT done.id FROM done CROSS JOIN lazy
