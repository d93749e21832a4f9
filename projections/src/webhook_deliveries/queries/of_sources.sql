SELECT to_jsonb(t)::text FROM webhook_deliveries t
WHERE t.owner_id = $1 AND t.source_event = ANY($2)
ORDER BY t.created_at, t.id
