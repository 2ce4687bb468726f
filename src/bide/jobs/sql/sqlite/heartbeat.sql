UPDATE bide_workers
SET heartbeat_at = strftime('%Y-%m-%d %H:%M:%f000', 'now'), info = coalesce(:info, info)
WHERE id = :worker_id
RETURNING id
