SELECT to_jsonb(m)::text
FROM memberships m
WHERE m.owner_id = $1
  AND ($3::boolean IS NULL OR m.livemode = $3)
  AND ($4::uuid IS NULL OR m.product_id = $4 OR m.access_product_id = $4)
  AND ($5::text IS NULL OR $5 = CASE
        WHEN m.recorded_status = 'REVOKED' THEN 'REVOKED'
        WHEN $2 < m.current_period_end_at THEN 'ACTIVE'
        WHEN $2 < m.grace_end_at THEN 'GRACE'
        ELSE 'EXPIRED'
      END)
  AND ($6::text IS NULL OR m.platform = $6)
  AND ($7::text IS NULL OR m.wallet ILIKE $7 OR m.identity_display ILIKE $7 OR m.platform_display ILIKE $7 OR m.identity_value ILIKE $7
       OR m.external_customer_id ILIKE $7 OR m.email ILIKE $7
       OR EXISTS (SELECT FROM jsonb_array_elements(m.history) h WHERE h ->> 'tx_signature' ILIKE $7))
  AND ($8::timestamptz IS NULL OR (m.created_at, m.id) < ($8, $9))
ORDER BY m.created_at DESC, m.id DESC
LIMIT $10 OFFSET $11
