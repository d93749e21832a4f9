UPDATE projections.slots SET state = 'live', moved_at = now() WHERE slot = $1 AND state = 'building' AND checkpoint = $2
