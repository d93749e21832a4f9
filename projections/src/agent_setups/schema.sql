CREATE TABLE agent_setups (
    id                    uuid        PRIMARY KEY,
    owner_id              uuid,
    livemode              boolean     NOT NULL,
    subject_id            uuid,
    created_at            timestamptz NOT NULL,
    updated_at            timestamptz NOT NULL,
    position              bigint      NOT NULL,
    requested_permissions jsonb       NOT NULL,
    expires_at            timestamptz NOT NULL,
    status                text        NOT NULL,
    has_manifest          boolean     NOT NULL,
    decided_by            uuid,
    decided_at            timestamptz,
    granted_permissions   jsonb       NOT NULL,
    live_key_id           uuid
);
COMMENT ON TABLE agent_setups IS 'Setup intents of agents.';
COMMENT ON COLUMN agent_setups.id IS 'The row''s id, which is the aggregate''s.';
COMMENT ON COLUMN agent_setups.owner_id IS 'The agent''s own workspace, which has the same id.';
COMMENT ON COLUMN agent_setups.livemode IS 'Whether it concerns real money.';
COMMENT ON COLUMN agent_setups.subject_id IS 'Whose personal data the row holds.';
COMMENT ON COLUMN agent_setups.created_at IS 'When its first event was recorded.';
COMMENT ON COLUMN agent_setups.updated_at IS 'When the last event that touched it was.';
COMMENT ON COLUMN agent_setups.position IS 'Position of that last event.';
COMMENT ON COLUMN agent_setups.requested_permissions IS 'What the agent asked for.';
COMMENT ON COLUMN agent_setups.expires_at IS 'When nobody may approve any more, and the token and the sandbox key end.';
COMMENT ON COLUMN agent_setups.status IS 'pending_approval, approved, rejected or expired.';
COMMENT ON COLUMN agent_setups.has_manifest IS 'Whether a manifest is attached.';
COMMENT ON COLUMN agent_setups.decided_by IS 'The workspace that decided it.';
COMMENT ON COLUMN agent_setups.decided_at IS 'When it did.';
COMMENT ON COLUMN agent_setups.granted_permissions IS 'What it granted.';
COMMENT ON COLUMN agent_setups.live_key_id IS 'The live key that was issued with the approval.';
CREATE INDEX ON agent_setups (expires_at) WHERE status = 'pending_approval';
