COALESCE((
    SELECT CONCAT(pos, ' ', id)
    FROM bide_jobs FORCE INDEX (bide_jobs_ready)
    WHERE state = 0 AND (queue > :queue OR (queue = :queue AND priority > :priority)) AND turns.n > 0
    ORDER BY queue, priority, pos
    LIMIT 1
), '') NOT IN :seen
