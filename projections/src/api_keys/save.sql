INSERT INTO api_keys SELECT * FROM jsonb_populate_recordset(NULL::api_keys, $1::jsonb)
ON CONFLICT (id) DO UPDATE SET
    owner_id = excluded.owner_id, livemode = excluded.livemode, subject_id = excluded.subject_id,
    created_at = excluded.created_at, updated_at = excluded.updated_at, position = excluded.position,
    label = excluded.label, prefix = excluded.prefix, scopes = excluded.scopes,
    sandbox_capable = excluded.sandbox_capable, status = excluded.status, works_until = excluded.works_until,
    rotated_from = excluded.rotated_from, rotated_to = excluded.rotated_to, revoked_at = excluded.revoked_at
