-- Expiry is recorded when its worker comes by; it holds from the instant itself.
SELECT (to_jsonb(t) || jsonb_build_object('status', s.status))::text FROM payments t
CROSS JOIN LATERAL (SELECT CASE WHEN t.status = 'PENDING_SIGNATURE' AND t.expires_at <= $3 THEN 'EXPIRED' ELSE t.status END AS status) s
WHERE t.owner_id = $1 AND t.product_id = $2 AND ($4::text IS NULL OR s.status = $4)
  AND ($5::timestamptz IS NULL OR (t.created_at, t.id) < ($5, $6))
ORDER BY t.created_at DESC, t.id DESC
LIMIT $7 OFFSET $8
