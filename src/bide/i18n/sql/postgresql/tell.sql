SELECT pg_notify(:channel, :word)
