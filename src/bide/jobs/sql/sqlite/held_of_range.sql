-- As `held_of`, for jobs with no other id between theirs.
SELECT id FROM bide_jobs
WHERE id BETWEEN :first AND :last
    AND +state = 1 AND +worker_id = :worker_id AND lease = :lease
