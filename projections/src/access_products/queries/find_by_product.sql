SELECT to_jsonb(t)::text FROM access_products t
WHERE t.owner_id = $1 AND t.product_id = $2
