SELECT pg_notify('bide_jobs', concat(priority, ' ', to_json(queue), ' ', pos))
FROM unnest(:queues::text[], :priorities::int[], :places::bigint[]) AS h (queue, priority, pos)
WHERE EXISTS (SELECT FROM bide_listeners WHERE until > statement_timestamp())
