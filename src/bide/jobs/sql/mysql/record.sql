INSERT INTO bide_attempts (job_id, attempt, lease, worker, started_at, ended_at, kind, error)
VALUES (:id, :attempts, :lease, :name, :started_at, :now, :kind, :error)
