-- As `finish_held`, for jobs with no other id between theirs.
DELETE FROM bide_jobs
WHERE id BETWEEN :first AND :last
    AND +state = 1 AND +worker_id = :worker_id AND lease = :lease
