-- By the primary key alone, hence the additions: the index of running jobs holds an entry for everything
-- that this worker has done since the last vacuum.
WITH lazy AS MATERIALIZED (
    SELECT set_config('synchronous_commit', 'off', true)
), done AS (
    DELETE FROM bide_jobs
    WHERE id = ANY (:ids::bigint[]) AND lease = :lease AND worker_id + 0 = :worker AND state + 0 = 1
    RETURNING id
)
SELECT done.id FROM done CROSS JOIN lazy
