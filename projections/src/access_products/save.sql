INSERT INTO access_products SELECT * FROM jsonb_populate_recordset(NULL::access_products, $1::jsonb)
ON CONFLICT (id) DO UPDATE SET
    owner_id = excluded.owner_id, livemode = excluded.livemode, subject_id = excluded.subject_id,
    created_at = excluded.created_at, updated_at = excluded.updated_at, position = excluded.position,
    product_id = excluded.product_id, app_id = excluded.app_id, external_product_id = excluded.external_product_id,
    title = excluded.title, description = excluded.description, amount = excluded.amount,
    merchant_wallet = excluded.merchant_wallet, entitlement_duration_days = excluded.entitlement_duration_days,
    default_rail = excluded.default_rail, allowed_rails = excluded.allowed_rails, status = excluded.status,
    live_mode_confirmed = excluded.live_mode_confirmed
