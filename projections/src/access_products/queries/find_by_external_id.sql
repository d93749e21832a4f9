SELECT to_jsonb(t)::text FROM access_products t
WHERE t.owner_id = $1 AND t.livemode = $2 AND t.external_product_id = $3
