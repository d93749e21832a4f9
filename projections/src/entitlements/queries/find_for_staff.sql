SELECT to_jsonb(t)::text FROM entitlements t WHERE t.id = $1
