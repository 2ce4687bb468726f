-- What a claim took whose answer was lost with its connection.
SELECT {columns}, pos FROM bide_jobs WHERE worker_id = :worker AND state = 1 AND locked_at = :now
