-- The index of scheduled jobs serves the condition; those promoted together keep the order of run_at.
UPDATE bide_jobs SET state = 0, pos = :pos + due.place
FROM (
    SELECT id, row_number() OVER (ORDER BY run_at, id) AS place
    FROM bide_jobs WHERE state = 2 AND run_at <= :now ORDER BY run_at, id LIMIT :limit
) AS due
WHERE bide_jobs.id = due.id
