SELECT to_jsonb(t)::text FROM receipts t
WHERE t.id = $1
