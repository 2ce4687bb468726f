DELETE attempts
FROM JSON_TABLE(:listed, '$[*]' COLUMNS (id BIGINT PATH '$')) AS listed
STRAIGHT_JOIN bide_attempts AS attempts FORCE INDEX (bide_attempts_job) ON attempts.job_id = listed.id
