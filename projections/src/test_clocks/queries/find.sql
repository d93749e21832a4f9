SELECT to_jsonb(t)::text FROM test_clocks t
WHERE t.owner_id = $1 AND t.id = $2
