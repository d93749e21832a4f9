UPDATE projections.slots SET checkpoint = $2, moved_at = now() WHERE slot = $1
