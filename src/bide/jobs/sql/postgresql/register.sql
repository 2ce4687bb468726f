INSERT INTO bide_workers (name, host, pid, started_at, heartbeat_at, info)
VALUES (:name, :host, :pid, clock_timestamp(), clock_timestamp(), :info)
RETURNING id
