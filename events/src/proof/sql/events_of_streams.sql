SELECT e.position, e.version, e.recorded_at, e.stream_id, e.event_id, e.owner_id, e.correlation_id, e.causation_id, e.subject_id,
       e.schema_version, e.livemode, e.category, e.event_type, e.actor, e.request_id, e.prev_leaf, e.leaf, e.payload, e.sealed
FROM unnest($1::uuid[], $2::text[]) AS asked (id, category)
JOIN log.events e ON e.stream_id = asked.id AND e.category = asked.category
WHERE e.position < $3
ORDER BY e.category, e.stream_id, e.version
LIMIT $4
