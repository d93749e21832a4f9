INSERT INTO log.floor (
    position, version, recorded_at, stream_id, event_id, owner_id, correlation_id, causation_id, subject_id, schema_version,
    livemode, category, event_type, actor, request_id, prev_leaf, leaf, payload, sealed
)
SELECT event.*
FROM unnest(
    $1::bigint[], $2::bigint[], $3::bigint[], $4::uuid[], $5::uuid[], $6::uuid[], $7::uuid[], $8::uuid[], $9::uuid[],
    $10::smallint[], $11::boolean[], $12::text[], $13::text[], $14::text[], $15::text[], $16::bytea[], $17::bytea[],
    $18::bytea[], $19::bytea[]
) AS event
