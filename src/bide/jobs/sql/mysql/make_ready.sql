-- Jobs that this transaction has locked become ready in the order of the list.
UPDATE JSON_TABLE(:ids, '$[*]' COLUMNS (place FOR ORDINALITY, id BIGINT PATH '$')) AS listed
STRAIGHT_JOIN bide_jobs AS jobs FORCE INDEX (PRIMARY) ON jobs.id = listed.id
SET jobs.state = 0, jobs.locked_at = NULL, jobs.locked_by = NULL, jobs.worker_id = NULL,
    jobs.pos = TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(6)) * 1000 + listed.place
