//! A workspace for tests of what is missing in it.

use super::{
    Coverage, Credential, Facts, Product,
    webhooks::{RECOMMENDED, Receiver},
};
use events::vocab::{
    bytes::SolanaAddress,
    event::{AccessProductCreated, RailSettingSaved},
    id::{AccessProductId, AppId, EndpointId, ProductId, RailSettingId},
    money::{FeeBps, Minor},
    rail::{Mode, RailId},
    words::{ProductStatus, WebhookEvent},
};
use ledger::{
    rail_gates::{GateInput, RailOptions, RailSetting, Review, evaluate},
    rails::Rails,
};
use uuid::Uuid;

pub fn product() -> AccessProductCreated {
    AccessProductCreated {
        access_product_id: AccessProductId(Uuid::from_u128(1)),
        product_id: ProductId(Uuid::from_u128(2)),
        app_id: AppId(Uuid::from_u128(3)),
        external_product_id: "pro-ai-api".into(),
        title: "Pro".into(),
        description: None,
        amount: Minor::new(25_000_000).unwrap(),
        merchant_wallet: SolanaAddress([7; 32]),
        entitlement_duration_days: 30,
        default_rail: RailId::SolanaUsdc,
        allowed_rails: vec![RailId::SolanaUsdc],
        status: ProductStatus::Active,
        live_mode_confirmed: true,
    }
}

pub fn options(product: &AccessProductCreated, mode: Mode, rails: &Rails, setting: Option<(bool, Option<String>)>) -> RailOptions {
    let setting = setting.map(|(enabled, payout_address)| RailSetting {
        rail_id: RailId::SolanaUsdc,
        enabled,
        payout_address,
        review: Review::Verified,
        fee_collection: None,
    });
    evaluate(&GateInput {
        mode,
        allowed_rails: &product.allowed_rails,
        backing_wallet: &product.merchant_wallet.to_string(),
        fee_bps: FeeBps::new(100).unwrap(),
        rails,
        settings: setting.as_slice(),
    })
}

pub fn saved(enabled: bool, payout_address: Option<String>) -> RailSettingSaved {
    RailSettingSaved {
        setting_id: RailSettingId(Uuid::from_u128(4)),
        rail_id: RailId::SolanaUsdc,
        mode: Mode::Live,
        enabled,
        payout_address,
        label: Some("Mine".into()),
        fee_collection: None,
    }
}

/// A receiver of these events.
pub fn receiver(events: &[WebhookEvent], paused: bool) -> Receiver {
    Receiver { id: EndpointId(Uuid::from_u128(5)), subscribed_events: events.to_vec(), paused }
}

/// Everything is there.
pub fn ready() -> Facts {
    with(product(), &Rails::standard(), Some((true, Some(product().merchant_wallet.to_string()))))
}

/// Everything but a receiver of webhooks.
pub fn without_webhook() -> Facts {
    Facts { webhooks: Coverage::new(&[]), ..ready() }
}

/// A live workspace that sells `product`, with that setting of `solana_usdc`.
pub fn with(product: AccessProductCreated, rails: &Rails, setting: Option<(bool, Option<String>)>) -> Facts {
    Facts {
        mode: Mode::Live,
        asked: Some(product.external_product_id.clone()),
        app_id: Some(product.app_id),
        options: Some(options(&product, Mode::Live, rails, setting.clone())),
        setting: setting.map(|(enabled, payout)| saved(enabled, payout)),
        product: Product::Named(Box::new(product)),
        webhooks: Coverage::new(&[receiver(&RECOMMENDED, false)]),
        credential: Credential::LiveApiKey,
    }
}
