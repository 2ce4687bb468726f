-- In the order of the keys, so that two batches with the same keys cannot wait for each other;
-- ids and places in the order given. Of a column comes the list, or the value that all have in common;
-- lists as texts, since not every driver writes them alike. NOTIFY only when somebody waits, and once
-- per level and transaction.
WITH given AS MATERIALIZED (
    SELECT nextval('bide_jobs_id_seq') AS id, nextval('bide_jobs_pos_seq') AS pos, g.*
    FROM unnest(
        :keys::text::text[], :each_name::text::text[], :each_queue::text::text[],
        :each_priority::text::int[], :each_state::text::smallint[], :payloads::text::text[],
        :each_max_attempts::text::int[], :each_run_at::text::timestamptz[],
        :each_created_at::text::timestamptz[], :each_locale::text::text[],
        :each_context::text::text[]
    ) AS g (key, name, queue, priority, state, payload, max_attempts, run_at, created_at, locale, context)
), stored AS (
    INSERT INTO bide_jobs (
        id, pos, key, name, queue, priority, state, payload, max_attempts, run_at, created_at, locale,
        context
    )
    SELECT
        id, pos, key, coalesce(name, :name::text), coalesce(queue, :queue::text),
        coalesce(priority, :priority::int), coalesce(state, :state::smallint), payload,
        coalesce(max_attempts, :max_attempts::int), coalesce(run_at, :run_at::timestamptz),
        coalesce(created_at, :created_at::timestamptz), coalesce(locale, :locale::text),
        coalesce(context, :context::text)
    FROM given ORDER BY key
    ON CONFLICT (key) DO NOTHING
    RETURNING id, key, queue, priority, state, pos
), told AS (
    SELECT
        pg_notify('bide_jobs', concat(h.level, ' ', h.pos)),
        set_config('bide.told', concat(current_setting('bide.told', true), h.level, chr(10)), true)
    FROM (
        SELECT concat(priority, ' ', to_json(queue::text)) AS level, min(pos) AS pos
        FROM stored WHERE state = 0 GROUP BY queue, priority
    ) AS h
    WHERE EXISTS (SELECT FROM bide_listeners WHERE until > statement_timestamp())
    AND strpos(
        concat(chr(10), current_setting('bide.told', true)), concat(chr(10), h.level, chr(10))
    ) = 0
)
SELECT s.queue, s.priority, min(s.pos), s.state, array_agg(s.id), array_agg(s.key)
FROM stored AS s CROSS JOIN (SELECT count(*) FROM told) AS t
GROUP BY s.queue, s.priority, s.state
