-- One job in a transaction of its own: what insert.sql does for many.
INSERT INTO bide_jobs (
    pos, key, name, queue, priority, state, payload, max_attempts, run_at, created_at, locale, context
) VALUES (
    nextval('bide_jobs_pos_seq'), :key, :name, :queue, :priority, :state, :payload, :max_attempts,
    :run_at, :created_at, :locale, :context
)
ON CONFLICT (key) DO NOTHING
RETURNING id, pos,
CASE WHEN state = 0 AND EXISTS (SELECT FROM bide_listeners WHERE until > statement_timestamp())
    THEN pg_notify('bide_jobs', concat(priority, ' ', to_json(queue::text), ' ', pos))
END
