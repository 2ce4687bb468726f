-- The first ready job of every queue and priority: one step down the index for each.
WITH RECURSIVE level AS (
    (SELECT queue, priority, pos FROM bide_jobs WHERE state = 0 ORDER BY queue, priority, pos LIMIT 1)
    UNION ALL
    SELECT n.queue, n.priority, n.pos
    FROM level AS l CROSS JOIN LATERAL (
        SELECT queue, priority, pos FROM bide_jobs
        WHERE state = 0 AND (queue, priority) > (l.queue, l.priority)
        ORDER BY queue, priority, pos LIMIT 1
    ) AS n
)
SELECT s.newest, s.due, l.queue, l.priority, l.pos
FROM (
    SELECT
        (SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM bide_jobs_pos_seq) AS newest,
        (SELECT run_at FROM bide_jobs WHERE state = 2 ORDER BY run_at LIMIT 1) AS due
) AS s
LEFT JOIN level AS l ON NOT EXISTS (
    SELECT FROM bide_queues AS q WHERE q.name = l.queue AND q.paused_at IS NOT NULL
)
