WITH held AS MATERIALIZED (
    SELECT j.id, j.pos FROM bide_jobs AS j
    JOIN unnest(:ids::bigint[], :leases::int[]) AS h (id, lease) ON j.id = h.id AND j.lease = h.lease
    WHERE j.worker_id = :worker AND j.state = 1
    FOR UPDATE OF j
), placed AS MATERIALIZED (
    SELECT id, nextval('bide_jobs_pos_seq') AS pos
    FROM (SELECT id FROM held ORDER BY pos OFFSET 0) AS ordered
)
UPDATE bide_jobs AS j
SET state = 0, pos = p.pos, locked_at = NULL, locked_by = NULL, worker_id = NULL
FROM placed AS p WHERE j.id = p.id
RETURNING j.queue, j.priority, j.pos, j.id
