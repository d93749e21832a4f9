-- One correlation at a time: that is how the index by block ranges is used.
SELECT e.position, e.version, e.recorded_at, e.stream_id, e.event_id, e.owner_id, e.correlation_id, e.causation_id, e.subject_id,
       e.schema_version, e.livemode, e.category, e.event_type, e.actor, e.request_id, e.prev_leaf, e.leaf, e.payload, e.sealed
FROM unnest($1::uuid[]) AS asked (correlation)
CROSS JOIN LATERAL (SELECT * FROM log.events WHERE correlation_id = asked.correlation) e
ORDER BY e.position
