WITH due AS MATERIALIZED (
    SELECT id, run_at FROM bide_jobs
    WHERE state = 2 AND run_at >= :since AND run_at <= :now
    ORDER BY run_at, id LIMIT :limit FOR UPDATE SKIP LOCKED
), placed AS MATERIALIZED (
    SELECT id, nextval('bide_jobs_pos_seq') AS pos
    FROM (SELECT id FROM due ORDER BY run_at, id OFFSET 0) AS ordered
)
UPDATE bide_jobs AS j SET state = 0, pos = p.pos
FROM placed AS p WHERE j.id = p.id
RETURNING j.queue, j.priority, j.pos
