SELECT to_jsonb(t)::text FROM webhook_deliveries t
WHERE t.status = $1 AND ($2::uuid IS NULL OR t.owner_id = $2) AND ($3::uuid IS NULL OR t.endpoint_id = $3)
  AND ($4::timestamptz IS NULL OR (t.created_at, t.id) < ($4, $5))
ORDER BY t.created_at DESC, t.id DESC
LIMIT $6 OFFSET $7
