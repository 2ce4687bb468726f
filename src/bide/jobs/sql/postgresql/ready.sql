SELECT EXISTS (
    SELECT FROM unnest(:queues::text[], :priorities::int[], :marks::bigint[]) AS v (queue, priority, mark)
    CROSS JOIN LATERAL (
        SELECT id FROM bide_jobs AS j
        WHERE j.state = 0 AND j.queue = v.queue AND j.priority = v.priority AND j.pos >= v.mark
        ORDER BY j.pos LIMIT 1
    ) AS x
    WHERE NOT EXISTS (
        SELECT FROM bide_queues AS q WHERE q.name = v.queue AND q.paused_at IS NOT NULL
    )
)
