SELECT min(run_at) FROM bide_jobs
WHERE state = 2 AND (:queues::text[] IS NULL OR queue = ANY (:queues::text[]))
AND queue <> ALL (:except_queues::text[])
AND priority >= :lowest::bigint AND priority <= :highest::bigint
