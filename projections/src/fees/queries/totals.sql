SELECT jsonb_build_object(
    'asset_symbol', t.asset_symbol, 'asset_mint', t.asset_mint, 'asset_decimals', t.asset_decimals,
    'amount', sum(t.amount), 'count', count(*)
)::text
FROM fees t
WHERE $1::uuid IS NULL OR t.owner_id = $1
GROUP BY t.asset_symbol, t.asset_mint, t.asset_decimals
ORDER BY t.asset_symbol, t.asset_mint
