SELECT to_jsonb(t)::text FROM credits t
WHERE t.id = $1
