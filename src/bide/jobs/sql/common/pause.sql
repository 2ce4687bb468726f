-- Safe to run twice: the first pause stands.
INSERT INTO bide_queues (name, paused_at) VALUES (:queue, :now) ON CONFLICT (name) DO NOTHING
