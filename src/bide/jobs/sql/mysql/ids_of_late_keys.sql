-- What others committed after this transaction began is seen only by a read that locks.
SELECT id, `key` FROM bide_jobs FORCE INDEX (bide_jobs_key) WHERE `key` IN :keys LOCK IN SHARE MODE
