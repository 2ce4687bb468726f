-- In the order of the keys, so that two batches with the same keys cannot wait for each other;
-- ids and places in the order given. NOTIFY only when somebody waits, and once per level and transaction.
WITH given AS MATERIALIZED (
    SELECT nextval('bide_jobs_id_seq') AS id, nextval('bide_jobs_pos_seq') AS pos, g.*
    FROM unnest(
        :keys::text[], :names::text[], :queues::text[], :priorities::int[], :states::smallint[],
        :payloads::text[], :max_attempts::int[], :run_ats::timestamptz[],
        :created_ats::timestamptz[], :locales::text[], :contexts::text[]
    ) AS g (key, name, queue, priority, state, payload, max_attempts, run_at, created_at, locale, context)
), stored AS (
    INSERT INTO bide_jobs (
        id, pos, key, name, queue, priority, state, payload, max_attempts, run_at, created_at, locale,
        context
    )
    SELECT * FROM given ORDER BY key
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
SELECT s.queue, s.priority, s.pos, s.state, s.id, s.key
FROM stored AS s CROSS JOIN (SELECT count(*) FROM told) AS t
