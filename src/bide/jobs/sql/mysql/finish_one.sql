-- A job without an error has no attempts to forget.
DELETE FROM bide_jobs
WHERE id = :id AND lease = :lease AND worker_id = :worker AND state = 1 AND last_error IS NULL
