SELECT to_jsonb(t)::text FROM entitlements t
WHERE t.livemode = $1 AND ($2::text IS NULL OR t.status = $2) AND ($3::uuid IS NULL OR t.owner_id = $3)
    AND ($4::uuid IS NULL OR t.access_product_id = $4)
    AND (NOT $5 OR t.paid_when_closed)
    AND ($6::timestamptz IS NULL OR (t.created_at, t.id) < ($6, $7))
ORDER BY t.created_at DESC, t.id DESC
LIMIT $8 OFFSET $9
