use super::*;
use events::vocab::{event::*, words::*};

pub fn sample(event_type: EventType) -> Event {
    match event_type {
        EventType::ProductCreated => product().into(),
        EventType::ProductUpdated => ProductUpdated {
            product_id: id(1),
            changes: vec![
                ProductChange::Title("Inner circle".into()),
                ProductChange::Description(None),
                ProductChange::Amount(minor(29_000_000)),
                ProductChange::DeliveryValue(true),
                ProductChange::Membership(Some(config())),
            ],
            subject_id: Some(id(4)),
            quote: None,
        }
        .into(),
        EventType::ProductArchived => ProductArchived { product_id: id(1) }.into(),
        EventType::WorkspaceProfileSaved => WorkspaceProfileSaved { subject_id: id(1) }.into(),
        EventType::MembershipActivated => MembershipActivated {
            membership_id: id(1),
            product_id: id(2),
            access_product_id: None,
            subject_id: id(3),
            wallet: address(4),
            payment_id: id(5),
            tx_signature: tx(6),
            period_start: at(0),
            period_end: at(2_592_000),
            grace_period_days: 3,
            renewal_reminder_offsets_days: vec![7, 2, 1],
            platform: Some(Platform::Telegram),
            payment_event: id(7),
        }
        .into(),
        EventType::MembershipRenewed => MembershipRenewed {
            membership_id: id(1),
            product_id: id(2),
            subject_id: id(3),
            wallet: address(4),
            payment_id: id(5),
            tx_signature: tx(6),
            period_start: at(2_592_000),
            period_end: at(5_184_000),
            grace_period_days: 3,
            renewal_reminder_offsets_days: vec![],
            platform: None,
            payment_event: id(7),
        }
        .into(),
        EventType::MembershipEnteredGrace => {
            MembershipEnteredGrace { membership_id: id(1), period_end: at(0), grace_end: at(259_200) }.into()
        }
        EventType::MembershipExpired => MembershipExpired {
            membership_id: id(1),
            product_id: id(2),
            access_product_id: Some(id(3)),
            subject_id: id(4),
            payment_id: id(5),
            period_end: at(0),
            expired_at: at(259_200),
        }
        .into(),
        EventType::MembershipGifted => MembershipGifted { membership_id: id(1), days: 30, period_end: at(5_184_000) }.into(),
        EventType::MembershipNotesSaved => MembershipNotesSaved { membership_id: id(1) }.into(),
        EventType::MembershipProfileUpdated => MembershipProfileUpdated { membership_id: id(1) }.into(),
        EventType::MembershipRevoked => MembershipRevoked { membership_id: id(1), reason: "refund".into(), revoked_at: at(60) }.into(),
        EventType::MembershipRenewalReminderSent => {
            MembershipRenewalReminderSent { membership_id: id(1), period_end: at(172_800), offset_days: 2, mail_id: Some(id(2)) }.into()
        }
        EventType::SubscriptionCancelRequested => SubscriptionCancelRequested { membership_id: id(1), period_end: at(172_800) }.into(),
        EventType::MembershipEntitlementLinked => MembershipEntitlementLinked {
            membership_id: id(1),
            product_id: id(2),
            subject_id: id(3),
            entitlement_id: id(4),
            period_end: at(2_592_000),
            by: "staff-1".into(),
            reason: "paid at the hosted checkout".into(),
        }
        .into(),
        EventType::SubscriptionResumed => SubscriptionResumed { membership_id: id(1) }.into(),
        other => unreachable!("{other:?} has its sample elsewhere"),
    }
}

fn product() -> ProductCreated {
    ProductCreated {
        product_id: id(1),
        slug: "pro".into(),
        product_type: ProductType::PaymentLink,
        title: "Pro".into(),
        description: None,
        image_url: Some("https://cdn.example.com/cover.png".into()),
        amount: minor(25_000_000),
        asset: usdc(),
        merchant_wallet: address(2),
        delivery_type: Some(DeliveryType::Redirect),
        tip_presets: vec![minor(1), minor(2)],
        max_payments: Some(500),
        branding: Branding { accent_hex: Some("#1d4ed8".into()), ..Branding::default() },
        membership: Some(config()),
        access_product_id: Some(id(3)),
        subject_id: Some(id(4)),
        quote: Some(quote()),
    }
}

fn config() -> MembershipConfig {
    MembershipConfig {
        enabled: true,
        platform: Some(Platform::Discord),
        access_mode: Some(AccessMode::InviteLink),
        identity_type: Some(IdentityType::DiscordUserId),
        identity_label: Some("Discord user".into()),
        identity_required: true,
        terms: terms(),
        platform_target_label: Some("Private server".into()),
        platform_target_id: Some("1100".into()),
        platform_role_id: Some("1200".into()),
        platform_channel_id: None,
    }
}
