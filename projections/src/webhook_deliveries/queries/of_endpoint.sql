SELECT to_jsonb(t)::text FROM webhook_deliveries t
WHERE t.owner_id = $1 AND t.endpoint_id = $2 AND ($3::text IS NULL OR t.status = $3)
  AND ($4::timestamptz IS NULL OR (t.created_at, t.id) < ($4, $5))
ORDER BY t.created_at DESC, t.id DESC
LIMIT $6 OFFSET $7
