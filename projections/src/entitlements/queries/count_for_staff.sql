SELECT count(*) FROM entitlements t
WHERE t.livemode = $1 AND ($2::text IS NULL OR t.status = $2) AND ($3::uuid IS NULL OR t.owner_id = $3)
    AND ($4::uuid IS NULL OR t.access_product_id = $4) AND (NOT $5 OR t.paid_when_closed)
