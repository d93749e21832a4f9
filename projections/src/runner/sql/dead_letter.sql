INSERT INTO projections.dead_letters AS d (name, version, position, event_id, event_type, reason)
VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (name, version, position)
DO UPDATE SET reason = excluded.reason, last_seen = now(), seen = d.seen + 1, resolved_at = NULL
