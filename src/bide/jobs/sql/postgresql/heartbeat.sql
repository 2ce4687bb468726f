UPDATE bide_workers SET heartbeat_at = clock_timestamp(), info = coalesce(:info, info)
WHERE id = :worker
RETURNING set_config('synchronous_commit', 'off', true)
