-- One at a time, and none that another rescuer has.
SELECT id FROM bide_workers
WHERE heartbeat_at < clock_timestamp() - :silent_for::interval OR id = ANY (:dead::bigint[])
ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED
