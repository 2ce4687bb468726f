INSERT INTO bide_results (job_id, worker, started_at, value, keep_until)
VALUES (:id, :worker, :started_at, :value, :keep_until)
