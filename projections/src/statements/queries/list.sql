SELECT to_jsonb(t)::text FROM statements t
WHERE ($1::text IS NULL OR t.source = $1)
    AND ($2::text IS NULL OR t.account = $2)
    AND ($3::timestamptz IS NULL OR (t.created_at, t.id) < ($3, $4))
ORDER BY t.created_at DESC, t.id DESC
LIMIT $5 OFFSET $6
