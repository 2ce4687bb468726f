UPDATE bide_jobs FORCE INDEX (PRIMARY)
SET state = 3, failed_at = :now, finished_at = :now, locked_at = NULL, locked_by = NULL,
    worker_id = NULL
WHERE id IN :ids
