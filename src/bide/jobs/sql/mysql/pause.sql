-- Safe to run twice: the first pause stands.
INSERT IGNORE INTO bide_queues (name, paused_at) VALUES (:queue, :now)
