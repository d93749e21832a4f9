SELECT to_jsonb(t)::text FROM test_clocks t
WHERE t.owner_id = $1 AND NOT t.deleted
  AND ($2::timestamptz IS NULL OR (t.created_at, t.id) < ($2, $3))
ORDER BY t.created_at DESC, t.id DESC
LIMIT $4 OFFSET $5
