UPDATE bide_jobs FORCE INDEX (PRIMARY)
SET state = 1, lease = lease + 1, locked_at = :now, locked_by = :name, worker_id = :worker
WHERE id IN :ids
