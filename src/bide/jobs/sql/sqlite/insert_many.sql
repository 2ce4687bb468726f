-- A key that is stored already is left alone, so storing twice is harmless.
INSERT INTO bide_jobs (key, name, queue, priority, state, payload, max_attempts, run_at, created_at,
    locale, context, pos)
VALUES (:key, :name, :queue, :priority, :state, :payload, :max_attempts, :run_at, :created_at,
    :locale, :context, :pos)
ON CONFLICT (key) DO NOTHING
