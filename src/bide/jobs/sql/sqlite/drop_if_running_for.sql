-- Only while the attempt is still this worker's: no rows, no effect.
DELETE FROM bide_jobs
WHERE id = :id AND lease = :lease AND worker_id = :worker_id AND state = 1
RETURNING id
