SELECT position, version, recorded_at, stream_id, event_id, owner_id, correlation_id, causation_id, subject_id, schema_version, livemode,
       category, event_type, actor, request_id, prev_leaf, leaf, payload, sealed
FROM log.events
WHERE position >= $1 AND position < $2
  AND ($4::uuid IS NULL OR (stream_id = $4 AND category = $5))
  AND ($6::text IS NULL OR event_type = $6)
  AND ($7::uuid IS NULL OR owner_id = $7)
ORDER BY position
LIMIT $3
