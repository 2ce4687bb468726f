-- Which job is the first after a queue and priority, as a text that can only be compared.
SELECT CONCAT(pos, ' ', id)
FROM bide_jobs FORCE INDEX (bide_jobs_ready)
WHERE state = 0 AND (queue > :queue OR (queue = :queue AND priority > :priority))
ORDER BY queue, priority, pos
LIMIT 1
