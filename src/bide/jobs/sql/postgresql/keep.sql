WITH lazy AS MATERIALIZED (
    SELECT set_config('synchronous_commit', 'off', true)
), done AS (
    UPDATE bide_jobs AS j
    SET state = 4, finished_at = :now, locked_at = NULL, locked_by = NULL, worker_id = NULL
    FROM unnest(:ids::bigint[], :leases::int[]) AS h (id, lease)
    WHERE j.id = h.id AND j.lease = h.lease AND j.worker_id = :worker AND j.state = 1
    RETURNING j.id
)
SELECT done.id FROM done CROSS JOIN lazy
