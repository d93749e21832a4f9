SELECT to_jsonb(p)::text FROM access_products p
