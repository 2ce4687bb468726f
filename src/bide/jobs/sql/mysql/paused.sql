SELECT -1, name, 0, 0, 0 FROM bide_queues WHERE paused_at IS NOT NULL
