-- Jobs without an error have no attempts to forget.
DELETE jobs
FROM JSON_TABLE(:listed, '$[*]' COLUMNS (id BIGINT PATH '$')) AS listed
STRAIGHT_JOIN bide_jobs AS jobs FORCE INDEX (PRIMARY) ON jobs.id = listed.id
WHERE jobs.lease = :lease AND jobs.worker_id = :worker AND jobs.state = 1
    AND jobs.last_error IS NULL
