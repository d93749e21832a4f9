SELECT leaf FROM log.events WHERE position < $1 ORDER BY position
