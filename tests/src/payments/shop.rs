//! Opening a shop.

use super::{PRICE, Shop, address, asset, context, stream, terms};
use events::{
    clock::new_id,
    log::Log,
    unit::Unit,
    vocab::{
        event::MembershipConfig,
        rail::RailId,
        stream::Category,
        words::{ProductStatus, ProductType},
    },
};
use ledger::{access_app, access_app::AccessApp, access_product, access_product::AccessProduct, product, product::Product};

/// Opens a shop.
pub async fn shop(log: &Log, livemode: bool) -> Shop {
    let shop = Shop { owner_id: new_id(), app_id: new_id(), product_id: new_id(), access_product_id: new_id() };
    let merchant_wallet = address();
    let mut unit = Unit::new(log, context(shop.owner_id, livemode, new_id()));
    let mut app = unit.start::<AccessApp>(stream(Category::AccessApp, shop.app_id));
    let create = access_app::Create {
        app_id: shop.app_id,
        name: "Shop".to_owned(),
        external_app_id: format!("app-{}", shop.app_id),
        default_rail: RailId::SolanaUsdc,
    };
    unit.decide(&mut app, access_app::Command::Create(create), None).unwrap();
    let mut backing = unit.start::<Product>(stream(Category::Product, shop.product_id));
    let create = product::Create {
        product_id: shop.product_id,
        slug: format!("p-{}", shop.product_id),
        product_type: ProductType::PaymentLink,
        fields: product::Fields {
            title: Some("Course".to_owned()),
            amount: Some(Some(PRICE)),
            asset: Some(asset()),
            merchant_wallet: Some(merchant_wallet),
            membership: Some(Some(MembershipConfig { terms: terms(), ..product::plain_membership(30) }.into())),
            ..product::Fields::default()
        },
        access_product_id: Some(shop.access_product_id),
        merchant: None,
        quote: None,
    };
    let created = unit.decide(&mut backing, product::Command::Create(Box::new(create)), None).unwrap();
    let mut access = unit.start::<AccessProduct>(stream(Category::AccessProduct, shop.access_product_id));
    let create = access_product::Create {
        access_product_id: shop.access_product_id,
        product_id: shop.product_id,
        app_id: shop.app_id,
        external_product_id: format!("course-{}", shop.access_product_id),
        title: "Course".to_owned(),
        description: None,
        amount: PRICE,
        merchant_wallet,
        entitlement_duration_days: 30,
        default_rail: RailId::SolanaUsdc,
        allowed_rails: vec![RailId::SolanaUsdc],
        status: ProductStatus::Active,
        livemode,
        live_mode_confirmed: livemode,
    };
    unit.decide(&mut access, access_product::Command::Create(Box::new(create)), Some(created[0])).unwrap();
    unit.commit().await.unwrap();
    shop
}
