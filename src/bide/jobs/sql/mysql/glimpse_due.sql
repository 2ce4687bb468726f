SELECT CONCAT(id)
FROM bide_jobs FORCE INDEX (bide_jobs_scheduled)
WHERE state = 2 AND run_at <= :now
ORDER BY run_at
LIMIT 1
