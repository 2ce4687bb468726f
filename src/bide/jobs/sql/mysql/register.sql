INSERT INTO bide_workers (name, host, pid, started_at, heartbeat_at, info)
VALUES (:name, :host, :pid, UTC_TIMESTAMP(6), UTC_TIMESTAMP(6), :info)
