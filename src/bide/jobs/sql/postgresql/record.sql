INSERT INTO bide_attempts (job_id, attempt, lease, worker, started_at, ended_at, kind, error)
SELECT h.job_id, h.attempt, h.lease, h.worker, h.started_at, :now, :kind, :error
FROM unnest(
    :ids::bigint[], :numbers::int[], :leases::int[], :workers::text[], :starts::timestamptz[]
) AS h (job_id, attempt, lease, worker, started_at)
