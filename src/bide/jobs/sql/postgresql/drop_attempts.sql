DELETE FROM bide_attempts WHERE job_id = ANY (:ids::bigint[])
