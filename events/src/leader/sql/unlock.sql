SELECT pg_advisory_unlock(hashtextextended('hilt:' || $1, 0))
