SELECT to_jsonb(t)::text FROM products t
WHERE t.owner_id = $1 AND t.livemode = $2
  AND ($3::text IS NULL OR t.status = $3) AND ($4::text IS NULL OR t.product_type = $4)
  AND ($5::timestamptz IS NULL OR (t.created_at, t.id) < ($5, $6))
ORDER BY t.created_at DESC, t.id DESC
LIMIT $7 OFFSET $8
