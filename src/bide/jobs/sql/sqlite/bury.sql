-- The dead are those that the caller saw die and those that have been silent too long.
DELETE FROM bide_workers
WHERE id IN (SELECT value FROM json_each(:dead))
    OR heartbeat_at < strftime('%Y-%m-%d %H:%M:%f000', 'now', :silent_for)
