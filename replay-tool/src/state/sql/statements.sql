SELECT position, version, recorded_at, stream_id, event_id, owner_id, correlation_id, causation_id, subject_id, schema_version,
       livemode, category, event_type, actor, request_id, prev_leaf, leaf, payload, sealed
FROM log.events
WHERE category = 'statement'
ORDER BY stream_id, position
