-- Sums of integers, so exact. Amounts of different assets are never added up.
SELECT to_jsonb(sales)::text
FROM (
    SELECT
        t.asset_symbol, t.asset_decimals, t.asset_mint, count(*) AS confirmed_count,
        sum(t.amount) AS gross, sum(t.merchant_amount) AS merchant, sum(t.fee_amount) AS fee
    FROM payments t
    WHERE t.owner_id = $1 AND t.livemode AND t.status = 'CONFIRMED'
    GROUP BY t.asset_symbol, t.asset_decimals, t.asset_mint
) sales
ORDER BY sales.asset_symbol, sales.asset_mint
