CREATE TABLE access_products (
    id                        uuid        PRIMARY KEY,
    owner_id                  uuid,
    livemode                  boolean     NOT NULL,
    subject_id                uuid,
    created_at                timestamptz NOT NULL,
    updated_at                timestamptz NOT NULL,
    position                  bigint      NOT NULL,
    product_id                uuid        NOT NULL,
    app_id                    uuid        NOT NULL,
    external_product_id       text        NOT NULL,
    title                     text        NOT NULL,
    description               text,
    amount                    bigint      NOT NULL,
    merchant_wallet           text        NOT NULL,
    entitlement_duration_days integer     NOT NULL,
    default_rail              text        NOT NULL,
    allowed_rails             jsonb       NOT NULL,
    status                    text        NOT NULL,
    live_mode_confirmed       boolean     NOT NULL
);
COMMENT ON TABLE access_products IS 'Access products.';
COMMENT ON COLUMN access_products.id IS 'The row''s id, which is the aggregate''s.';
COMMENT ON COLUMN access_products.owner_id IS 'The workspace.';
COMMENT ON COLUMN access_products.livemode IS 'Whether it concerns real money.';
COMMENT ON COLUMN access_products.subject_id IS 'Whose personal data the row holds.';
COMMENT ON COLUMN access_products.created_at IS 'When its first event was recorded.';
COMMENT ON COLUMN access_products.updated_at IS 'When the last event that touched it was.';
COMMENT ON COLUMN access_products.position IS 'Position of that last event.';
COMMENT ON COLUMN access_products.product_id IS 'The hosted product behind it.';
COMMENT ON COLUMN access_products.app_id IS 'Its app.';
COMMENT ON COLUMN access_products.external_product_id IS 'The merchant''s own id of it.';
COMMENT ON COLUMN access_products.title IS 'Shown to buyers.';
COMMENT ON COLUMN access_products.description IS 'Shown to buyers.';
COMMENT ON COLUMN access_products.amount IS 'Price in minor units.';
COMMENT ON COLUMN access_products.merchant_wallet IS 'Where the money goes, base58.';
COMMENT ON COLUMN access_products.entitlement_duration_days IS 'How long a payment gives access, in days of 24 hours.';
COMMENT ON COLUMN access_products.default_rail IS 'Rail of sessions that name none.';
COMMENT ON COLUMN access_products.allowed_rails IS 'Policy; what is shown to buyers is derived.';
COMMENT ON COLUMN access_products.status IS 'active or paused.';
COMMENT ON COLUMN access_products.live_mode_confirmed IS 'Whether the owner confirmed that it takes real money.';
CREATE INDEX ON access_products (owner_id, livemode, external_product_id);
CREATE INDEX ON access_products (product_id);
