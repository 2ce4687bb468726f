SELECT id, name, queue, lease, attempts, crashes, max_attempts, locked_by, locked_at, worker_id
FROM bide_jobs
WHERE id = :id AND lease = :lease AND worker_id = :worker_id AND state = 1
