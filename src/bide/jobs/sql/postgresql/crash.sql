WITH held AS MATERIALIZED (
    SELECT
        id, locked_by, locked_at,
        crashes + 1 >= :max_crashes OR attempts + 1 >= coalesce(max_attempts, :max_attempts) AS over
    FROM bide_jobs
    WHERE worker_id = :worker AND state = 1
    AND (:id::bigint IS NULL OR (id = :id::bigint AND lease = :lease::int))
    ORDER BY id FOR UPDATE SKIP LOCKED
)
UPDATE bide_jobs AS j
SET state = CASE WHEN h.over THEN 3 ELSE 0 END,
    failed_at = CASE WHEN h.over THEN :now::timestamptz END,
    finished_at = CASE WHEN h.over THEN :now::timestamptz END,
    pos = nextval('bide_jobs_pos_seq'),
    attempts = j.attempts + 1, crashes = j.crashes + 1, last_error = :error,
    locked_at = NULL, locked_by = NULL, worker_id = NULL
FROM held AS h WHERE j.id = h.id
RETURNING
    j.queue, j.priority, j.pos, j.id, j.name, j.state, j.lease, j.attempts, j.crashes, h.locked_by, h.locked_at,
    h.over
