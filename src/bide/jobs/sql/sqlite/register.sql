INSERT INTO bide_workers (name, host, pid, started_at, heartbeat_at, info)
VALUES (:name, :host, :pid, strftime('%Y-%m-%d %H:%M:%f000', 'now'),
    strftime('%Y-%m-%d %H:%M:%f000', 'now'), :info)
RETURNING id
