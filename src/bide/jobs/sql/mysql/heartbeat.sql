UPDATE bide_workers
SET heartbeat_at = UTC_TIMESTAMP(6), info = COALESCE(:info, info)
WHERE id = :worker
