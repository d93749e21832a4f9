CREATE TABLE products (
    id                   uuid        PRIMARY KEY,
    owner_id             uuid,
    livemode             boolean     NOT NULL,
    subject_id           uuid,
    created_at           timestamptz NOT NULL,
    updated_at           timestamptz NOT NULL,
    position             bigint      NOT NULL,
    slug                 text        NOT NULL,
    product_type         text        NOT NULL,
    title                text        NOT NULL,
    description          text,
    image_url            text,
    amount               bigint      NOT NULL,
    asset_symbol         text        NOT NULL,
    asset_decimals       integer     NOT NULL,
    asset_mint           text        NOT NULL,
    merchant_wallet      text        NOT NULL,
    delivery_type        text,
    delivery_value_event uuid,
    tip_presets          jsonb       NOT NULL,
    max_payments         bigint,
    branding             jsonb       NOT NULL,
    membership           jsonb,
    access_product_id    uuid,
    status               text        NOT NULL,
    payment_count        bigint      NOT NULL,
    changed_at           timestamptz NOT NULL
);
COMMENT ON TABLE products IS 'Hosted products.';
COMMENT ON COLUMN products.id IS 'The row''s id, which is the aggregate''s.';
COMMENT ON COLUMN products.owner_id IS 'The workspace.';
COMMENT ON COLUMN products.livemode IS 'Whether it concerns real money.';
COMMENT ON COLUMN products.subject_id IS 'Whose personal data the row holds.';
COMMENT ON COLUMN products.created_at IS 'When its first event was recorded.';
COMMENT ON COLUMN products.updated_at IS 'When the last event that touched it was.';
COMMENT ON COLUMN products.position IS 'Position of that last event.';
COMMENT ON COLUMN products.slug IS 'Its public name, unique everywhere.';
COMMENT ON COLUMN products.product_type IS 'What it sells.';
COMMENT ON COLUMN products.title IS 'Shown to buyers.';
COMMENT ON COLUMN products.description IS 'Shown to buyers.';
COMMENT ON COLUMN products.image_url IS 'A picture of it.';
COMMENT ON COLUMN products.amount IS 'Price in minor units; zero for a tip jar.';
COMMENT ON COLUMN products.asset_symbol IS 'What is paid with.';
COMMENT ON COLUMN products.asset_decimals IS 'Decimals of its minor unit.';
COMMENT ON COLUMN products.asset_mint IS 'Its mint, base58.';
COMMENT ON COLUMN products.merchant_wallet IS 'Where the money goes, base58.';
COMMENT ON COLUMN products.delivery_type IS 'How access is handed over.';
COMMENT ON COLUMN products.delivery_value_event IS 'The event that seals the delivery value; the value itself is never here.';
COMMENT ON COLUMN products.tip_presets IS 'Amounts that a tip jar''s page offers, in minor units.';
COMMENT ON COLUMN products.max_payments IS 'How many payments it may have.';
COMMENT ON COLUMN products.branding IS 'How its page looks.';
COMMENT ON COLUMN products.membership IS 'How its memberships run, when it sells any.';
COMMENT ON COLUMN products.access_product_id IS 'The access product that it backs.';
COMMENT ON COLUMN products.status IS 'ACTIVE or ARCHIVED.';
COMMENT ON COLUMN products.payment_count IS 'Confirmed payments.';
COMMENT ON COLUMN products.changed_at IS 'When the merchant changed it last.';
CREATE INDEX ON products (owner_id, livemode, created_at DESC, id DESC);
CREATE INDEX ON products (slug);
