SELECT pg_try_advisory_lock(hashtextextended('hilt:' || $1, 0))
