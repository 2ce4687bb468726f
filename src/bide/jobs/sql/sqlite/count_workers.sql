SELECT count(*) FROM bide_workers
