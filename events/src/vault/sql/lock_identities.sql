SELECT pg_advisory_xact_lock(hashtextextended($1::uuid::text, 781334651812))
