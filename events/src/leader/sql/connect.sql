-- A peer that vanished without a word, or was frozen, is noticed within about ten seconds, and its locks are freed: a leader asks
-- the server every second.
SELECT set_config('application_name', 'hilt leadership', false),
       set_config('tcp_keepalives_idle', '4', false),
       set_config('tcp_keepalives_interval', '2', false),
       set_config('tcp_keepalives_count', '3', false),
       set_config('idle_session_timeout', '10s', false)
