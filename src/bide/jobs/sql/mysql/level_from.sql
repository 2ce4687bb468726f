-- The first place of one queue and priority that is not before a mark.
SELECT :number AS number, queue, priority, pos, id
FROM bide_jobs FORCE INDEX (bide_jobs_ready)
WHERE state = 0 AND queue = :queue AND priority = :priority AND pos >= :pos
ORDER BY pos
LIMIT 1
