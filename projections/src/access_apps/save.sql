INSERT INTO access_apps SELECT * FROM jsonb_populate_recordset(NULL::access_apps, $1::jsonb)
ON CONFLICT (id) DO UPDATE SET
    owner_id = excluded.owner_id, livemode = excluded.livemode, subject_id = excluded.subject_id,
    created_at = excluded.created_at, updated_at = excluded.updated_at, position = excluded.position,
    name = excluded.name, external_app_id = excluded.external_app_id, default_rail = excluded.default_rail
