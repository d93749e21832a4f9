-- A process that is frozen while it has the lock loses it soon: everyone else of the owner waits, each with a connection.
SELECT set_config('idle_in_transaction_session_timeout', '3s', true),
       pg_advisory_xact_lock(hashtextextended($1::uuid::text, 781334651812))
