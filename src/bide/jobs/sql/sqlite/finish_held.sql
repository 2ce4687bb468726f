-- As `held_of`, without the look: whoever finds that it reached fewer jobs than it names undoes it.
DELETE FROM bide_jobs
WHERE id IN (SELECT value FROM json_each(:ids))
    AND +state = 1 AND +worker_id = :worker_id AND lease = :lease
