UPDATE projections.slots SET state = 'live', moved_at = now() WHERE slot = $1 AND state = 'candidate' AND checkpoint = $2
