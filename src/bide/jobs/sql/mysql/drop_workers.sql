DELETE FROM bide_workers WHERE id IN :ids
