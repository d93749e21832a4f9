-- Locks the build if it still is where the caller believes it is, and puts its table on the search path. A build can always be
-- repeated, so its commits need not wait for the disk: rows and checkpoint are lost together or not at all. A process that is
-- frozen here gives the build free for the next one soon.
SELECT set_config('search_path', slot, true), set_config('TimeZone', 'UTC', true), set_config('synchronous_commit', 'off', true),
       set_config('idle_in_transaction_session_timeout', '10s', true)
FROM projections.slots
WHERE slot = $1 AND checkpoint = $2 AND state = $3
FOR UPDATE
