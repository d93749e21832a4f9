SELECT jsonb_build_object('event_id', t.event_id, 'position', t.position, 'previous', before.position)::text
FROM access_events t
LEFT JOIN LATERAL (
    SELECT p.position FROM access_events p
    WHERE p.owner_id = t.owner_id AND p.livemode = t.livemode AND p.position < t.position
    ORDER BY p.position DESC LIMIT 1
) before ON true
WHERE t.event_id = ANY($1)
