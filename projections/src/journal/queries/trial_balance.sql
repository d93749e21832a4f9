SELECT jsonb_build_object('asset', jsonb_build_object('symbol', j.asset_symbol, 'decimals', j.asset_decimals, 'mint', j.asset_mint),
                          'livemode', j.livemode, 'account', p.account,
                          'debit', sum(p.debit)::text, 'credit', sum(p.credit)::text)::text
FROM journal j
CROSS JOIN LATERAL jsonb_array_elements(j.entries) AS entry
CROSS JOIN LATERAL jsonb_to_recordset(entry -> 'postings') AS p (account text, debit numeric, credit numeric)
WHERE ($1::uuid IS NULL OR j.owner_id = $1) AND ($2::boolean IS NULL OR j.livemode = $2)
GROUP BY j.asset_symbol, j.asset_decimals, j.asset_mint, j.livemode, p.account
ORDER BY j.asset_symbol, j.asset_mint, j.livemode, array_position(ARRAY ['buyer', 'merchant', 'fee', 'receivable'], p.account)
