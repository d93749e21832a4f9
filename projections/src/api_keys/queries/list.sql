SELECT to_jsonb(t)::text FROM api_keys t
WHERE t.owner_id = $1
ORDER BY t.created_at DESC, t.id DESC
