SELECT to_jsonb(t)::text FROM receipts t
WHERE t.owner_id = $1 AND t.tx_signature = $2
