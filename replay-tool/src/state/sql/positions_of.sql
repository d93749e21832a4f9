SELECT position, event_id FROM log.events WHERE event_id = ANY($1) ORDER BY position
