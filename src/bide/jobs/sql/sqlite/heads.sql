-- Read from the head of the index of ready jobs and from nothing else, nothing is sorted.
SELECT priority, pos, id FROM bide_jobs
WHERE state = 0 AND queue = :queue AND priority BETWEEN :lowest AND :highest
ORDER BY priority, pos, id LIMIT :limit
