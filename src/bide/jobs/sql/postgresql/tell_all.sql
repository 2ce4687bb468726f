SELECT pg_notify('bide_jobs', '')
WHERE EXISTS (SELECT FROM bide_listeners WHERE until > statement_timestamp())
