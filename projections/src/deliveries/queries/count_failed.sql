SELECT count(*) FROM deliveries t
WHERE t.owner_id = $1 AND t.livemode AND t.product_id = $2 AND t.status IN ('FAILED', 'RETRY_SCHEDULED', 'MANUAL_REVIEW')
