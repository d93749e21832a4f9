SELECT to_jsonb(m)::text FROM memberships m
WHERE m.owner_id = $1 AND m.livemode = $2
  AND ($3::uuid IS NULL OR m.product_id = $3 OR m.access_product_id = $3)
  AND m.recorded_status <> 'REVOKED'
  AND m.current_period_end_at > $4 AND m.current_period_end_at <= $5
ORDER BY m.current_period_end_at, m.id
LIMIT 100
