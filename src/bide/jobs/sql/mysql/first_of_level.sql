-- The first ready jobs of one queue and priority, from a place on, as a look sees them: without a lock.
SELECT :number AS number, priority, pos, id
FROM bide_jobs FORCE INDEX (bide_jobs_ready)
WHERE state = 0 AND queue = :queue AND priority = :priority AND pos >= :pos
ORDER BY pos, id
LIMIT :limit
