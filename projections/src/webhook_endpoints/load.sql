SELECT to_jsonb(t)::text FROM webhook_endpoints t WHERE t.id = ANY($1) OR t.subject_id = ANY($2)
