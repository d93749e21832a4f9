WITH turn AS (
    UPDATE log.head
    SET next_position = $3, epoch = epoch + 1, recorded_at = $4, frontier = $5
    WHERE next_position = $1 AND epoch = $2
    RETURNING next_position
), appended AS (
    INSERT INTO log.events (
        position, version, recorded_at, stream_id, event_id, owner_id, correlation_id, causation_id, subject_id, schema_version,
        livemode, category, event_type, actor, request_id, prev_leaf, leaf, payload, sealed
    )
    SELECT event.*
    FROM turn, unnest(
        $6::bigint[], $7::bigint[], $8::bigint[], $9::uuid[], $10::uuid[], $11::uuid[], $12::uuid[], $13::uuid[], $14::uuid[],
        $15::smallint[], $16::boolean[], $17::text[], $18::text[], $19::text[], $20::text[], $21::bytea[], $22::bytea[],
        $23::bytea[], $24::bytea[]
    ) AS event
), taken AS (
    INSERT INTO log.claims (scope, key, category, stream_id, position)
    SELECT claim.*
    FROM turn, unnest($25::text[], $26::text[], $27::text[], $28::uuid[], $29::bigint[]) AS claim
), moved AS (
    UPDATE log.claims held
    SET category = claim.category, stream_id = claim.stream_id, position = claim.position
    FROM turn, unnest($30::text[], $31::text[], $32::text[], $33::uuid[], $34::bigint[])
        AS claim (scope, key, category, stream_id, position)
    WHERE held.scope = claim.scope AND held.key = claim.key
), released AS (
    DELETE FROM log.claims held
    USING turn, unnest($35::text[], $36::text[]) AS claim (scope, key)
    WHERE held.scope = claim.scope AND held.key = claim.key
), answered AS (
    INSERT INTO log.idempotency (owner_id, operation, key, request_hash, status, body, position, created_at)
    SELECT answer.*
    FROM turn, unnest(
        $37::uuid[], $38::text[], $39::text[], $40::bytea[], $41::smallint[], $42::bytea[], $43::bigint[], $44::bigint[]
    ) AS answer
)
SELECT pg_notify($45, turn.next_position::text) FROM turn
