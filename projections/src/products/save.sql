INSERT INTO products SELECT * FROM jsonb_populate_recordset(NULL::products, $1::jsonb)
ON CONFLICT (id) DO UPDATE SET
    owner_id = excluded.owner_id, livemode = excluded.livemode, subject_id = excluded.subject_id,
    created_at = excluded.created_at, updated_at = excluded.updated_at, position = excluded.position,
    slug = excluded.slug, product_type = excluded.product_type, title = excluded.title,
    description = excluded.description, image_url = excluded.image_url, amount = excluded.amount,
    asset_symbol = excluded.asset_symbol, asset_decimals = excluded.asset_decimals, asset_mint = excluded.asset_mint,
    merchant_wallet = excluded.merchant_wallet, delivery_type = excluded.delivery_type,
    delivery_value_event = excluded.delivery_value_event, tip_presets = excluded.tip_presets,
    max_payments = excluded.max_payments, branding = excluded.branding, membership = excluded.membership,
    access_product_id = excluded.access_product_id, status = excluded.status, payment_count = excluded.payment_count,
    changed_at = excluded.changed_at
