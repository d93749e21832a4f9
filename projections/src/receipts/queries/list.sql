SELECT to_jsonb(t)::text FROM receipts t
WHERE t.owner_id = $1 AND t.livemode = $2
  AND ($3::text IS NULL OR t.wallet = $3) AND ($4::uuid IS NULL OR t.product_id = $4 OR t.access_product_id = $4)
  AND ($5::text IS NULL OR t.tx_signature ILIKE $5 OR t.wallet ILIKE $5 OR t.receipt_hash ILIKE $5 OR t.id::text ILIKE $5
       OR t.invoice_number ILIKE $5 OR t.buyer_name ILIKE $5 OR t.billing_reference ILIKE $5)
  AND ($6::timestamptz IS NULL OR (t.created_at, t.id) < ($6, $7))
ORDER BY t.created_at DESC, t.id DESC
LIMIT $8 OFFSET $9
