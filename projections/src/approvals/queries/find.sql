SELECT to_jsonb(t)::text FROM approvals t WHERE t.id = $1
