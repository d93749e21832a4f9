SELECT to_jsonb(t)::text FROM entitlements t
WHERE t.owner_id = $1 AND t.access_product_id = $2 AND t.sandbox = $3
  AND (t.external_customer_id = $4 OR t.wallet = $5 OR lower(t.email) = lower($6))
ORDER BY (t.status = 'active') DESC, t.expires_at DESC NULLS LAST, t.created_at DESC, t.id DESC
