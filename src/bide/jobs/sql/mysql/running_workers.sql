SELECT DISTINCT worker_id FROM bide_jobs FORCE INDEX (bide_jobs_running) WHERE state = 1
