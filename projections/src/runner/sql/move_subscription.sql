-- Need not wait for the disk: where a position is lost with the machine, its events come again, as after any crash.
UPDATE projections.subscriptions SET checkpoint = $3, moved_at = now()
WHERE name = $1 AND checkpoint = $2 AND set_config('synchronous_commit', 'off', true) = 'off'
