-- Running for a worker that is not registered: buried in this transaction, or never there.
SELECT id, name, queue, lease, attempts, crashes, max_attempts, locked_by, locked_at, worker_id
FROM bide_jobs
WHERE state = 1 AND worker_id NOT IN (SELECT id FROM bide_workers)
