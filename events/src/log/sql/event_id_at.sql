SELECT event_id FROM log.events WHERE position = $1
