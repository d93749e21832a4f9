SELECT count(*) FROM payments t
CROSS JOIN LATERAL (SELECT CASE WHEN t.status = 'PENDING_SIGNATURE' AND t.expires_at <= $3 THEN 'EXPIRED' ELSE t.status END AS status) s
WHERE t.owner_id = $1 AND t.product_id = $2 AND ($4::text IS NULL OR s.status = $4)
