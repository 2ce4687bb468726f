WITH lazy AS MATERIALIZED (
    SELECT set_config('synchronous_commit', 'off', true)
), done AS (
    DELETE FROM bide_jobs AS j
    USING unnest(:ids::bigint[], :leases::int[]) AS h (id, lease)
    WHERE j.id = h.id AND j.lease = h.lease AND j.worker_id = :worker AND j.state = 1
    RETURNING j.id
)
SELECT done.id FROM done CROSS JOIN lazy
