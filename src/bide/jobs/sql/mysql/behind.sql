-- Whether ready jobs lie behind a level; from the end as well.
SELECT :number AS number, queue, priority, pos, id
FROM bide_jobs FORCE INDEX (bide_jobs_ready)
WHERE state = 0 AND (queue > :queue OR (queue = :queue AND priority > :priority))
ORDER BY queue DESC, priority DESC, pos DESC
LIMIT 1
