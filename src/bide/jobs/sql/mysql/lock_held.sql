-- By the primary key, in its order: whoever locks several jobs does, so that nobody deadlocks.
SELECT id, lease, last_error IS NOT NULL
FROM bide_jobs FORCE INDEX (PRIMARY)
WHERE id IN :ids AND state = 1 AND worker_id = :worker
ORDER BY id
FOR UPDATE
