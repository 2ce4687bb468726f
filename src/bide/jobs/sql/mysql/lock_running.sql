SELECT id, name, queue, lease, attempts, crashes, max_attempts, locked_by
FROM bide_jobs FORCE INDEX (PRIMARY)
WHERE id IN :ids AND state = 1 AND worker_id IN :workers
ORDER BY id
FOR UPDATE
