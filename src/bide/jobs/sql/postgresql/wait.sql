INSERT INTO bide_listeners AS l (id, until)
VALUES (:id, clock_timestamp() + :lasting::interval)
ON CONFLICT (id) DO UPDATE SET until = excluded.until
RETURNING set_config('synchronous_commit', 'off', true)
