-- As `finish`, for jobs with no other id between theirs.
DELETE FROM bide_jobs WHERE id BETWEEN :first AND :last
