-- One correlation at a time: that is how the index by block ranges is used.
SELECT DISTINCT event.category, event.stream_id
FROM unnest($1::uuid[]) AS asked (correlation)
CROSS JOIN LATERAL (
    SELECT category, stream_id FROM log.events
    WHERE correlation_id = asked.correlation AND owner_id = $2 AND position < $3
) event
