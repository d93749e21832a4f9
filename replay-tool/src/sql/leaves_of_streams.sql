SELECT asked.ordinality, event.leaf
FROM unnest($1::uuid[], $2::text[], $3::bigint[]) WITH ORDINALITY AS asked (stream_id, category, version, ordinality)
JOIN log.events event USING (stream_id, category, version)
WHERE event.position < $4
