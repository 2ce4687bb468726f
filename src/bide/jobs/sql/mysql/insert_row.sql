(:key, :name, :queue, :priority, :state, :payload, :max_attempts, :run_at, :created_at, :locale,
    :context, TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(6)) * 1000)
