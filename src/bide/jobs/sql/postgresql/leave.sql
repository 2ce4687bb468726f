DELETE FROM bide_workers WHERE id = :worker
