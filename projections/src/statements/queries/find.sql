SELECT to_jsonb(t)::text FROM statements t WHERE t.id = $1
