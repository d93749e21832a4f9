SELECT leaf FROM log.events WHERE position >= $1 AND position < $2 ORDER BY position
