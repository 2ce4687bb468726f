-- The first and the last queue with ready jobs, and whether any queue is paused: a quarter of the work of
-- `ready_queues`, and mostly enough.
SELECT min(queue), (SELECT max(queue) FROM bide_jobs WHERE state = 0),
    EXISTS (SELECT 1 FROM bide_queues WHERE paused_at IS NOT NULL)
FROM bide_jobs WHERE state = 0
