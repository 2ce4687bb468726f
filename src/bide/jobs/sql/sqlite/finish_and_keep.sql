-- Only the attempts that are still this worker's; the lease tells an attempt from its successor.
UPDATE bide_jobs
SET state = 4, finished_at = :now, locked_at = NULL, locked_by = NULL, worker_id = NULL
WHERE state = 1 AND worker_id = :worker_id AND (id, lease) IN (
    SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]') FROM json_each(:leases))
RETURNING id
