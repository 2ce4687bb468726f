-- The next queue and priority after the given ones that has ready jobs, with its first place.
SELECT :number AS number, queue, priority, pos, id
FROM bide_jobs FORCE INDEX (bide_jobs_ready)
WHERE state = 0 AND (queue > :queue OR (queue = :queue AND priority > :priority))
ORDER BY queue, priority, pos
LIMIT 1
