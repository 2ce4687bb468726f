-- A key that is stored already is left as it is; its id becomes the last one inserted.
INSERT INTO bide_jobs
    (`key`, name, queue, priority, state, payload, max_attempts, run_at, created_at, locale,
    context, pos)
VALUES /* rows */
ON DUPLICATE KEY UPDATE id = LAST_INSERT_ID(id)
