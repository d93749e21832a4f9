-- What changed how long memberships last, newest first. An event is no later than its row's last change.
SELECT (h || jsonb_build_object('membership_id', m.id, 'product_id', m.product_id))::text
FROM memberships m
CROSS JOIN LATERAL jsonb_array_elements(m.history) h
WHERE m.owner_id = $1 AND m.livemode = $2
  AND ($3::uuid IS NULL OR m.product_id = $3 OR m.access_product_id = $3)
  AND m.updated_at >= $4 AND (h ->> 'at')::timestamptz >= $4
ORDER BY (h ->> 'at')::timestamptz DESC, m.id, h ->> 'event'
LIMIT 50
