SELECT count(*) FROM products t
WHERE t.owner_id = $1 AND t.livemode = $2
  AND ($3::text IS NULL OR t.status = $3) AND ($4::text IS NULL OR t.product_type = $4)
