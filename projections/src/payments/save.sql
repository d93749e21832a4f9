INSERT INTO payments SELECT * FROM jsonb_populate_recordset(NULL::payments, $1::jsonb)
ON CONFLICT (id) DO UPDATE SET
    owner_id = excluded.owner_id, livemode = excluded.livemode, subject_id = excluded.subject_id,
    created_at = excluded.created_at, updated_at = excluded.updated_at, position = excluded.position,
    product_id = excluded.product_id, access_product_id = excluded.access_product_id, session_id = excluded.session_id,
    entitlement_id = excluded.entitlement_id, status = excluded.status, memo = excluded.memo,
    asset_symbol = excluded.asset_symbol, asset_decimals = excluded.asset_decimals, asset_mint = excluded.asset_mint,
    amount = excluded.amount, merchant_amount = excluded.merchant_amount, fee_amount = excluded.fee_amount,
    fee_bps = excluded.fee_bps, fee_policy = excluded.fee_policy, merchant_wallet = excluded.merchant_wallet,
    fee_wallet = excluded.fee_wallet, payer_wallet = excluded.payer_wallet,
    identity_required = excluded.identity_required, identity_type = excluded.identity_type,
    identity_value = excluded.identity_value, identity_display = excluded.identity_display,
    billing_interval_days = excluded.billing_interval_days, grace_period_days = excluded.grace_period_days,
    tx_signature = excluded.tx_signature, wallet_source = excluded.wallet_source, slot = excluded.slot,
    expires_at = excluded.expires_at, confirmed_at = excluded.confirmed_at, failed_at = excluded.failed_at,
    failure_reason = excluded.failure_reason, last_attempt = excluded.last_attempt,
    membership_id = excluded.membership_id, receipt_id = excluded.receipt_id
