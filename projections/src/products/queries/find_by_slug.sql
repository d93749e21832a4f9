SELECT to_jsonb(t)::text FROM products t
WHERE t.slug = $1
