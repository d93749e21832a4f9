SELECT format('a dead letter of %s names another event than the one at position %s', d.name, d.position)
FROM projections.dead_letters d
WHERE NOT EXISTS (
        SELECT FROM log.events e WHERE e.position = d.position AND e.event_id = d.event_id AND e.event_type = d.event_type
    )
  AND $1::integer[] IS NOT NULL AND $2::bytea[] IS NOT NULL
LIMIT 1
