INSERT INTO agent_setups SELECT * FROM jsonb_populate_recordset(NULL::agent_setups, $1::jsonb)
ON CONFLICT (id) DO UPDATE SET
    owner_id = excluded.owner_id, livemode = excluded.livemode, subject_id = excluded.subject_id,
    created_at = excluded.created_at, updated_at = excluded.updated_at, position = excluded.position,
    requested_permissions = excluded.requested_permissions, expires_at = excluded.expires_at, status = excluded.status,
    has_manifest = excluded.has_manifest, decided_by = excluded.decided_by, decided_at = excluded.decided_at,
    granted_permissions = excluded.granted_permissions, live_key_id = excluded.live_key_id
