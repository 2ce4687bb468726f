SELECT id FROM (
    SELECT id FROM bide_jobs
    WHERE state = 0 AND queue = :q{n} AND priority = :p{n} AND pos >= :m{n}
    AND NOT (SELECT there FROM due)
    AND NOT EXISTS (SELECT FROM bide_queues WHERE name = :q{n} AND paused_at IS NOT NULL)
    ORDER BY pos LIMIT {some} FOR UPDATE SKIP LOCKED
) AS o{n}
