-- Those of these jobs that are still this worker's. `+` keeps the index of running jobs out of it.
SELECT id FROM bide_jobs
WHERE id IN (SELECT value FROM json_each(:ids))
    AND +state = 1 AND +worker_id = :worker_id AND lease = :lease
