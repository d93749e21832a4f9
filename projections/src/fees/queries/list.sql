SELECT to_jsonb(t)::text FROM fees t
WHERE ($1::uuid IS NULL OR t.owner_id = $1)
    AND ($2::timestamptz IS NULL OR (t.created_at, t.id) < ($2, $3))
ORDER BY t.created_at DESC, t.id DESC
LIMIT $4 OFFSET $5
