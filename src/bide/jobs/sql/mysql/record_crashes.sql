INSERT INTO bide_attempts (job_id, attempt, lease, worker, started_at, ended_at, kind, error)
SELECT id, attempts + 1, lease, COALESCE(locked_by, ''), locked_at, :now, :kind, :error
FROM bide_jobs FORCE INDEX (PRIMARY)
WHERE id IN :ids
ORDER BY id
