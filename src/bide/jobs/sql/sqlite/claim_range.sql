-- As `claim`, for jobs with no other id between theirs: half the work of a list.
UPDATE bide_jobs
SET state = 1, lease = lease + 1, locked_at = :now, locked_by = :worker, worker_id = :worker_id
WHERE id BETWEEN :first AND :last
