SELECT to_jsonb(m)::text FROM memberships m
WHERE m.next_due_at <= $1 AND ($2::timestamptz IS NULL OR (m.next_due_at, m.id) > ($2, $3))
ORDER BY m.next_due_at, m.id
LIMIT $4
