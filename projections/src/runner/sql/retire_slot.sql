UPDATE projections.slots SET state = 'retired', moved_at = now() WHERE name = $1 AND state = 'live'
