INSERT INTO access_events SELECT * FROM jsonb_populate_recordset(NULL::access_events, $1::jsonb)
ON CONFLICT (id) DO UPDATE SET
    owner_id = excluded.owner_id, livemode = excluded.livemode, subject_id = excluded.subject_id,
    created_at = excluded.created_at, updated_at = excluded.updated_at, position = excluded.position,
    event_id = excluded.event_id, event = excluded.event, product_id = excluded.product_id,
    access_product_id = excluded.access_product_id
