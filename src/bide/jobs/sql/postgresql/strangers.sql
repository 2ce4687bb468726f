-- Ids of workers that have running jobs and are not registered: one step down the index for each id.
WITH RECURSIVE holder AS (
    (SELECT worker_id FROM bide_jobs WHERE state = 1 ORDER BY worker_id LIMIT 1)
    UNION ALL
    SELECT n.worker_id
    FROM holder AS h CROSS JOIN LATERAL (
        SELECT worker_id FROM bide_jobs
        WHERE state = 1 AND worker_id > h.worker_id ORDER BY worker_id LIMIT 1
    ) AS n
)
SELECT h.worker_id FROM holder AS h
WHERE NOT EXISTS (SELECT FROM bide_workers AS w WHERE w.id = h.worker_id)
