SELECT id
FROM bide_jobs FORCE INDEX (bide_jobs_running)
WHERE state = 1 AND worker_id IN :workers
ORDER BY id
