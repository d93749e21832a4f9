-- 'checkout' sorts before 'merchant_submitted': the receipt of a settlement comes first.
SELECT to_jsonb(t)::text FROM receipts t
WHERE t.owner_id = $1 AND t.tx_signature = $2
ORDER BY t.source, t.id
LIMIT 1
