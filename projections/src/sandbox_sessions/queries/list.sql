SELECT to_jsonb(t)::text FROM sandbox_sessions t
WHERE t.owner_id = $1 AND ($2::uuid IS NULL OR t.test_clock_id = $2)
  AND ($3::timestamptz IS NULL OR (t.created_at, t.id) < ($3, $4))
ORDER BY t.created_at DESC, t.id DESC
LIMIT $5 OFFSET $6
