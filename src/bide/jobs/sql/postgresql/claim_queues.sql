-- Several queues of one priority: candidates without locks, in the order of becoming ready over all.
SELECT id FROM (
    SELECT j.id FROM (
        SELECT x.id, x.pos
        FROM unnest(:q{n}::text[], :m{n}::bigint[]) AS v (queue, mark)
        CROSS JOIN LATERAL (
            SELECT id, pos FROM bide_jobs
            WHERE state = 0 AND queue = v.queue AND priority = :p{n} AND pos >= v.mark
            ORDER BY pos LIMIT {window}
        ) AS x
        WHERE NOT (SELECT there FROM due)
        AND NOT EXISTS (
            SELECT FROM bide_queues AS q WHERE q.name = v.queue AND q.paused_at IS NOT NULL
        )
        ORDER BY x.pos LIMIT {window}
    ) AS c
    JOIN bide_jobs AS j ON j.id = c.id
    WHERE j.state = 0
    ORDER BY c.pos LIMIT {some} FOR UPDATE OF j SKIP LOCKED
) AS o{n}
