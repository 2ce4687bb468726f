-- {pieces}: the ids of ready jobs, one piece for each priority in their order. While scheduled jobs are
-- due nothing is taken, because they must become ready first; nor, if it is to be strict, when something
-- became ready since the last look, which may be more urgent than what is known.
WITH due AS MATERIALIZED (
    -- The first in order, not EXISTS: that makes the planner hope to meet one early in the table.
    SELECT :mind_due::boolean AND coalesce((
        SELECT run_at FROM bide_jobs WHERE state = 2 AND run_at >= :since ORDER BY run_at LIMIT 1
    ) <= :now, false) OR :strict::boolean AND (
        SELECT last_value > :newest::bigint AND is_called FROM bide_jobs_pos_seq
    ) AS there
), claimed AS (
    UPDATE bide_jobs
    SET state = 1, lease = lease + 1, locked_at = :now, locked_by = :name, worker_id = :worker
    WHERE id = ANY (ARRAY(SELECT p.id FROM ({pieces}) AS p LIMIT :limit))
    RETURNING {columns}, pos
)
SELECT s.newest, s.due, s.size, c.*
FROM (
    SELECT
        set_config('synchronous_commit', 'off', true),
        (SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM bide_jobs_pos_seq) AS newest,
        (SELECT there FROM due) AS due,
        pg_relation_size('bide_jobs') AS size
) AS s
LEFT JOIN claimed AS c ON true
ORDER BY c.priority, c.pos
