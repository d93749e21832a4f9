-- What backs an access product is no product of its own.
SELECT count(*) FROM products t WHERE t.owner_id = $1 AND t.livemode AND t.status = 'ACTIVE' AND t.access_product_id IS NULL
