-- Asked by every report, so that forgetting attempts costs something only where there may be some.
SELECT 1 FROM bide_attempts WHERE job_id BETWEEN :first AND :last LIMIT 1
