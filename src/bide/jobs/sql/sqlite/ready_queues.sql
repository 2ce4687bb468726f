-- One look into the index of ready jobs per queue, however many jobs a queue has.
WITH RECURSIVE ready (queue) AS (
    SELECT min(queue) FROM bide_jobs WHERE state = 0
    UNION ALL
    SELECT (SELECT min(queue) FROM bide_jobs WHERE state = 0 AND queue > ready.queue)
    FROM ready WHERE ready.queue IS NOT NULL
)
SELECT queue FROM ready
WHERE queue IS NOT NULL AND queue NOT IN (SELECT name FROM bide_queues WHERE paused_at IS NOT NULL)
