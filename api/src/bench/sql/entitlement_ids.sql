SELECT t.id FROM entitlements t
JOIN generate_series(1, $3::bigint) n ON t.external_customer_id = 'cust_' || n
WHERE t.owner_id = $1 AND t.access_product_id = $2
ORDER BY n
