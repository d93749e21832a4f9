SELECT to_jsonb(t)::text FROM workspace_billing t
WHERE t.id = $1
