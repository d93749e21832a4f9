SELECT to_jsonb(t)::text FROM webhook_endpoints t
WHERE t.owner_id = $1 AND t.id = $2
