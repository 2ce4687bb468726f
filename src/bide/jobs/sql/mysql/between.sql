-- Whether ready jobs lie between two levels. From the end: before the first that is ready lie those that are gone.
SELECT :number AS number, queue, priority, pos, id
FROM bide_jobs FORCE INDEX (bide_jobs_ready)
WHERE state = 0 AND (queue > :queue OR (queue = :queue AND priority > :priority))
    AND (queue < :end_queue OR (queue = :end_queue AND priority < :end_priority))
ORDER BY queue DESC, priority DESC, pos DESC
LIMIT 1
