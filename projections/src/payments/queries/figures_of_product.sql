-- Sums of integers, so exact. Amounts of different assets are never added up.
WITH p AS (
    SELECT t.*, CASE WHEN t.status = 'PENDING_SIGNATURE' AND t.expires_at <= $3 THEN 'EXPIRED' ELSE t.status END AS now_status
    FROM payments t
    WHERE t.owner_id = $1 AND t.product_id = $2
)
SELECT jsonb_build_object(
    'payment_count', count(*),
    'confirmed_count', count(*) FILTER (WHERE now_status = 'CONFIRMED'),
    'failed_count', count(*) FILTER (WHERE now_status = 'FAILED'),
    'expired_count', count(*) FILTER (WHERE now_status = 'EXPIRED'),
    'pending_count', count(*) FILTER (WHERE now_status IN ('PENDING_SIGNATURE', 'PENDING_CONFIRMATION')),
    'last_payment_at', max(confirmed_at),
    'sales', (
        SELECT coalesce(jsonb_agg(to_jsonb(sales) ORDER BY sales.asset_symbol, sales.asset_mint), '[]'::jsonb)
        FROM (
            SELECT
                asset_symbol, asset_decimals, asset_mint, count(*) AS confirmed_count,
                sum(amount) AS gross, sum(merchant_amount) AS merchant, sum(fee_amount) AS fee
            FROM p
            WHERE now_status = 'CONFIRMED'
            GROUP BY asset_symbol, asset_decimals, asset_mint
        ) sales
    )
)::text
FROM p
