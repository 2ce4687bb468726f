-- Asked by every claim, so that promotion costs something only when there is something to promote.
SELECT 1 FROM bide_jobs WHERE state = 2 AND run_at <= :now LIMIT 1
