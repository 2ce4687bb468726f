-- Safe because the transaction holds the only write lock since before it saw that they are this worker's.
DELETE FROM bide_jobs WHERE id IN (SELECT value FROM json_each(:ids))
