DELETE jobs
FROM JSON_TABLE(:listed, '$[*]' COLUMNS (id BIGINT PATH '$')) AS listed
STRAIGHT_JOIN bide_jobs AS jobs FORCE INDEX (PRIMARY) ON jobs.id = listed.id
