SELECT id FROM bide_workers
