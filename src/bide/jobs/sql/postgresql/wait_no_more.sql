DELETE FROM bide_listeners WHERE id = :id OR until < clock_timestamp() - interval '1 hour'
