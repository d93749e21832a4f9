use super::samples::*;
use crate::{
    product::{self, BrandingFields, Fields, MembershipFields, Product, Rejection, Update},
    spec::given,
};
use events::vocab::{
    event::*,
    personal::Personal,
    words::{AccessMode, DeliveryType, IdentityType, Platform, ProductType},
};

const LINK: &str = "https://t.me/+privateinvite";

fn create() -> product::Create {
    product::Create {
        product_id: id(4),
        slug: "telegram01".into(),
        product_type: ProductType::PaymentLink,
        fields: Fields {
            title: Some("Telegram Inner Circle".into()),
            description: Some(Some("Monthly paid access".into())),
            image_url: Some(Some("https://cdn.example.com/cover.png".into())),
            amount: Some(Some(29_000_000)),
            asset: Some(usdc()),
            merchant_wallet: Some(wallet(1)),
            delivery_type: Some(Some(DeliveryType::TelegramInvite)),
            delivery_value: Some(Some(LINK.into())),
            max_payments: Some(Some(500)),
            membership: Some(Some(membership())),
            ..Fields::default()
        },
        access_product_id: None,
        merchant: Some(id(60)),
        quote: None,
    }
}

fn membership() -> MembershipFields {
    MembershipFields {
        enabled: Some(Some(true)),
        platform: Some(Some(Platform::Telegram)),
        access_mode: Some(Some(AccessMode::InviteLink)),
        identity_type: Some(Some(IdentityType::TelegramUserId)),
        identity_label: Some(Some("Telegram username or user ID".into())),
        identity_required: Some(Some(true)),
        billing_interval_days: Some(Some(30)),
        grace_period_days: Some(Some(3)),
        renewal_reminder_offsets_days: Some(Some(vec![7, 2, 1])),
        platform_target_label: Some(Some("Private Telegram Group".into())),
        ..MembershipFields::default()
    }
}

fn created() -> Vec<Event> {
    given::<Product>([]).when(product::Command::Create(Box::new(create()))).events()
}

fn update(fields: Fields) -> product::Command {
    product::Command::Update(Box::new(Update {
        product_type: None,
        fields,
        stored_delivery_value: Some(LINK.into()),
        merchant: id(60),
        quote: None,
    }))
}

fn changed(fields: Fields) -> Vec<ProductChange> {
    let events = given::<Product>(created()).when(update(fields)).events();
    assert_eq!(events.len(), 1);
    payload!(events[0].clone(), ProductUpdated).changes
}

fn sol() -> Asset {
    Asset { symbol: "SOL".into(), decimals: 9, mint: wallet(8) }
}

#[test]
fn a_product_is_created_once_and_its_delivery_value_is_sealed() {
    let ask = |create| product::Command::Create(Box::new(create));
    let facts = given::<Product>([]).when(ask(create())).facts();
    assert_eq!(facts[0].personal, Some((id(60), Personal { text: Some(LINK.into()), ..Personal::default() })));
    let product = payload!(facts[0].event.clone(), ProductCreated);
    assert_eq!((product.amount, product.max_payments, product.subject_id), (minor(29_000_000), Some(500), Some(id(60))));
    assert_eq!(product.membership.unwrap().terms.renewal_reminder_offsets_days, [7, 2, 1]);
    assert!(!format!("{:?}", created()).contains("t.me"), "the link is in no payload");
    assert!(!format!("{:?}", create()).contains("t.me"), "and not in what is printed of a command");
    given::<Product>(created()).when(ask(create())).nothing();
    let mut other = create();
    other.fields.title = Some("Another".into());
    given::<Product>(created()).when(ask(other)).refused(Rejection::AlreadyExists);
}

#[test]
fn what_a_new_product_lacks_is_told_in_order_of_precedence() {
    let mut bad = create();
    bad.slug = "No Spaces".into();
    bad.fields = Fields::default();
    let mut refuse = |mend: fn(&mut product::Create), why| {
        given::<Product>([]).when(product::Command::Create(Box::new(bad.clone()))).refused(why);
        mend(&mut bad);
    };
    refuse(|c| c.slug = "telegram01".into(), Rejection::InvalidSlug);
    refuse(|c| c.fields.title = Some("Group".into()), Rejection::TitleRequired);
    refuse(|c| c.fields.asset = Some(usdc()), Rejection::InvalidField { field: "token_mint", rule: "is required" });
    refuse(|c| c.fields.merchant_wallet = Some(wallet(1)), Rejection::InvalidField { field: "merchant_wallet", rule: "is required" });
    refuse(|c| c.fields.amount = Some(Some(0)), Rejection::FixedAmountRequired);
    refuse(|c| c.fields.amount = Some(Some(1 << 53)), Rejection::AmountOutOfRange);
    refuse(|c| c.fields.amount = Some(Some(1)), Rejection::AmountOutOfRange);
    assert_eq!(given::<Product>([]).when(product::Command::Create(Box::new(bad))).events().len(), 1);
}

/// A field and a change that breaks its rule.
type Broken<T> = (&'static str, fn(&mut T));

#[test]
fn every_field_of_a_product_has_its_rule() {
    let table: &[Broken<Fields>] = &[
        ("title", |f| f.title = Some("x".repeat(201))),
        ("title", |f| f.title = Some("two\nlines".into())),
        ("description", |f| f.description = Some(Some("x".repeat(5_001)))),
        ("description", |f| f.description = Some(Some("a\u{0}b".into()))),
        ("image_url", |f| f.image_url = Some(Some("ftp://example.com/x.png".into()))),
        ("image_url", |f| f.image_url = Some(Some("https://user:word@example.com/x.png".into()))),
        ("image_url", |f| f.image_url = Some(Some("not a url".into()))),
        ("delivery_value", |f| f.delivery_value = Some(Some("javascript:alert(1)".into()))),
        ("delivery_value", |f| f.delivery_value = Some(Some("/welcome".into()))),
        ("delivery_value", |f| f.delivery_value = Some(Some("https://example.com/a b".into()))),
        ("delivery_value", |f| f.delivery_value = Some(Some(format!("https://example.com/{}", "x".repeat(2_048))))),
        ("delivery_value", |f| f.delivery_value = Some(None)),
        ("delivery_type", |f| f.delivery_type = Some(None)),
        ("tip_presets_lamports", |f| f.tip_presets = Some(vec![1, 0])),
        ("tip_presets_lamports", |f| f.tip_presets = Some(vec![1 << 53])),
        ("tip_presets_lamports", |f| f.tip_presets = Some(vec![1; 21])),
        ("max_payments", |f| f.max_payments = Some(Some(0))),
        ("max_payments", |f| f.max_payments = Some(Some(1_000_001))),
        ("branding.merchant_name", |f| f.branding = brand(|b| b.merchant_name = Some(Some("x".repeat(121))))),
        ("branding.logo_url", |f| f.branding = brand(|b| b.logo_url = Some(Some("data:,".into())))),
        ("branding.hero_image_url", |f| f.branding = brand(|b| b.hero_image_url = Some(Some("x".into())))),
        ("branding.success_button_label", |f| f.branding = brand(|b| b.success_button_label = Some(Some("a\tb".into())))),
        ("branding.accent_hex", |f| f.branding = brand(|b| b.accent_hex = Some(Some("#12345".into())))),
    ];
    for (named, spoil) in table {
        let mut on_create = create();
        spoil(&mut on_create.fields);
        let mut fields = Fields::default();
        spoil(&mut fields);
        for refused in [
            given::<Product>([]).rejection(product::Command::Create(Box::new(on_create))),
            given::<Product>(created()).rejection(update(fields)),
        ] {
            match refused {
                Rejection::InvalidField { field, .. } => assert_eq!(field, *named),
                other => panic!("{named}: {other:?}"),
            }
        }
    }
}

fn brand(say: fn(&mut BrandingFields)) -> product::Said<BrandingFields> {
    let mut branding = BrandingFields::default();
    say(&mut branding);
    Some(Some(branding))
}

#[test]
fn every_membership_setting_has_its_rule() {
    let table: &[Broken<MembershipFields>] = &[
        ("billing_interval_days", |m| m.billing_interval_days = Some(Some(0))),
        ("billing_interval_days", |m| m.billing_interval_days = Some(Some(-30))),
        ("billing_interval_days", |m| m.billing_interval_days = Some(Some(36_501))),
        ("grace_period_days", |m| m.grace_period_days = Some(Some(-1))),
        ("grace_period_days", |m| m.grace_period_days = Some(Some(i64::MAX))),
        ("renewal_reminder_offsets_days", |m| m.renewal_reminder_offsets_days = Some(Some(vec![-1]))),
        ("renewal_reminder_offsets_days", |m| m.renewal_reminder_offsets_days = Some(Some(vec![7, 2, 7]))),
        ("renewal_reminder_offsets_days", |m| m.renewal_reminder_offsets_days = Some(Some(vec![30]))),
        ("renewal_reminder_offsets_days", |m| m.billing_interval_days = Some(Some(7))),
        ("renewal_reminder_offsets_days", |m| m.renewal_reminder_offsets_days = Some(Some((1..12).collect()))),
        ("identity_type", |m| m.identity_type = Some(None)),
        ("identity_label", |m| m.identity_label = Some(Some("x".repeat(121)))),
        ("platform_target_label", |m| m.platform_target_label = Some(Some("a\u{7}b".into()))),
        ("platform_target_id", |m| m.platform_target_id = Some(Some("my group".into()))),
        ("platform_role_id", |m| m.platform_role_id = Some(Some("123".into()))),
        ("platform_target_id", |m| (m.platform, m.platform_target_id) = (Some(Some(Platform::Discord)), Some(Some("-5".into())))),
        ("platform_channel_id", |m| (m.platform, m.platform_channel_id) = (Some(Some(Platform::Discord)), Some(Some("5".into())))),
        ("platform", |m| (m.platform, m.platform_target_id) = (Some(None), Some(Some("-100123".into())))),
    ];
    for (named, spoil) in table {
        let mut on_create = create();
        let mut settings = membership();
        spoil(&mut settings);
        on_create.fields.membership = Some(Some(settings));
        let mut settings = MembershipFields::default();
        spoil(&mut settings);
        let fields = Fields { membership: Some(Some(settings)), ..Fields::default() };
        for refused in [
            given::<Product>([]).rejection(product::Command::Create(Box::new(on_create))),
            given::<Product>(created()).rejection(update(fields)),
        ] {
            assert_eq!(refused.code(), "invalid_membership_config", "{named}");
            let text = refused.to_string();
            assert!(text.starts_with(&format!("membership_config.{named}: ")), "{named}: {text}");
        }
    }
}

#[test]
fn a_bot_can_hand_over_what_has_no_link() {
    let mut by_bot = create();
    by_bot.fields.delivery_value = None;
    let settings = MembershipFields { platform_target_id: Some(Some("-1001234567890".into())), ..membership() };
    by_bot.fields.membership = Some(Some(settings));
    let events = given::<Product>([]).when(product::Command::Create(Box::new(by_bot.clone()))).events();
    assert_eq!(payload!(events[0].clone(), ProductCreated).subject_id, None, "nothing is sealed");
    by_bot.fields.membership = Some(Some(membership()));
    let refused = given::<Product>([]).rejection(product::Command::Create(Box::new(by_bot)));
    assert_eq!(refused.to_string(), "delivery_value: is needed beside delivery_type: the http(s) URL that buyers get");
}

#[test]
fn a_tip_jar_has_presets_and_no_price() {
    let mut jar = create();
    jar.product_type = ProductType::TipJar;
    let refused = given::<Product>([]).rejection(product::Command::Create(Box::new(jar.clone())));
    assert!(matches!(refused, Rejection::InvalidField { field: "amount_minor_units", .. }));
    jar.fields.amount = None;
    jar.fields.tip_presets = Some(vec![1_000_000, 5_000_000]);
    let events = given::<Product>([]).when(product::Command::Create(Box::new(jar))).events();
    let made = payload!(events[0].clone(), ProductCreated);
    assert_eq!((made.amount, made.tip_presets), (minor(0), vec![minor(1_000_000), minor(5_000_000)]));
    let other_asset = Fields { asset: Some(sol()), ..Fields::default() };
    let refused = given::<Product>(events).rejection(update(other_asset));
    assert!(matches!(refused, Rejection::InvalidField { field: "tip_presets_lamports", .. }), "their unit is another one");
}

#[test]
fn an_update_holds_what_really_changed_and_nothing_else() {
    let same = Fields {
        title: Some(" Telegram Inner Circle ".into()),
        amount: Some(Some(29_000_000)),
        delivery_value: Some(Some(LINK.into())),
        membership: Some(Some(membership())),
        ..Fields::default()
    };
    given::<Product>(created()).when(update(same)).nothing();
    given::<Product>(created()).when(update(Fields::default())).nothing();

    let grace = MembershipFields { billing_interval_days: Some(Some(30)), grace_period_days: Some(Some(5)), ..MembershipFields::default() };
    let changes = changed(Fields {
        title: Some("Telegram Inner Circle".into()),
        description: Some(Some("Updated description".into())),
        membership: Some(Some(grace)),
        ..Fields::default()
    });
    let [ProductChange::Description(description), ProductChange::Membership(Some(config))] = &changes[..] else { panic!("{changes:?}") };
    assert_eq!(description.as_deref(), Some("Updated description"));
    assert_eq!((config.terms.grace_period_days, config.identity_required), (5, true), "what was not sent is as it was");
    assert_eq!(config.terms.renewal_reminder_offsets_days, [7, 2, 1]);
    assert_eq!(changed(Fields { max_payments: Some(None), ..Fields::default() }), [ProductChange::MaxPayments(None)]);
}

#[test]
fn branding_is_merged_field_by_field() {
    let first = Fields { branding: brand(|b| b.merchant_name = Some(Some("Example Merchant".into()))), ..Fields::default() };
    let mut events = created();
    events.extend(given::<Product>(&events).when(update(first)).events());
    let second = Fields { branding: brand(|b| b.accent_hex = Some(Some("#1D4ED8".into()))), ..Fields::default() };
    events.extend(given::<Product>(&events).when(update(second)).events());
    let product = <Product as events::decider::Decider>::fold(&events);
    let branding = &product.facts().unwrap().branding;
    assert_eq!((branding.merchant_name.as_deref(), branding.accent_hex.as_deref()), (Some("Example Merchant"), Some("#1d4ed8")));
}

#[test]
fn a_new_delivery_value_is_sealed_and_a_cleared_one_is_gone() {
    let mut events = created();
    let value = Fields { delivery_value: Some(Some("https://t.me/+updatedinvite".into())), ..Fields::default() };
    let facts = given::<Product>(&events).when(update(value)).facts();
    assert_eq!(payload!(facts[0].event.clone(), ProductUpdated).changes, [ProductChange::DeliveryValue(true)]);
    let (merchant, sealed) = facts[0].personal.clone().unwrap();
    assert_eq!((merchant, sealed.text.as_deref()), (id(60), Some("https://t.me/+updatedinvite")));
    let cleared = Fields { delivery_type: Some(None), delivery_value: Some(None), ..Fields::default() };
    let facts = given::<Product>(&events).when(update(cleared)).facts();
    assert_eq!(facts[0].personal, None);
    events.push(facts[0].event.clone());
    let product = <Product as events::decider::Decider>::fold(&events);
    assert_eq!((product.facts().unwrap().subject_id, product.facts().unwrap().delivery_type), (None, None));
}

#[test]
fn a_price_is_of_its_asset_and_carries_the_quote_it_was_set_with() {
    let quote = PriceQuote { usd_micros_per_unit: 150_000_000, source: "test".into(), observed_at: at(0) };
    let ask = |fields, quote| {
        product::Command::Update(Box::new(Update {
            product_type: Some(ProductType::PaymentLink),
            fields,
            stored_delivery_value: Some(LINK.into()),
            merchant: id(60),
            quote,
        }))
    };
    let to_sol = Fields { asset: Some(sol()), ..Fields::default() };
    given::<Product>(created()).when(ask(to_sol.clone(), None)).refused(Rejection::FixedAmountRequired);
    let priced = Fields { amount: Some(Some(200_000_000)), ..to_sol };
    let events = given::<Product>(created()).when(ask(priced, Some(quote.clone()))).events();
    let updated = payload!(events[0].clone(), ProductUpdated);
    assert_eq!(updated.changes, [ProductChange::Amount(minor(200_000_000)), ProductChange::Asset(sol())]);
    assert_eq!(updated.quote, Some(quote.clone()));
    let title = Fields { title: Some("Other".into()), ..Fields::default() };
    let events = given::<Product>(created()).when(ask(title, Some(quote))).events();
    assert_eq!(payload!(events[0].clone(), ProductUpdated).quote, None, "no price was set");
}

#[test]
fn a_type_never_changes_and_what_is_archived_neither() {
    let other_type = product::Command::Update(Box::new(Update {
        product_type: Some(ProductType::TipJar),
        fields: Fields::default(),
        stored_delivery_value: None,
        merchant: id(60),
        quote: None,
    }));
    let refused = given::<Product>(created()).rejection(other_type);
    assert_eq!(refused, Rejection::InvalidField { field: "product_type", rule: "never changes" });

    given::<Product>([]).when(product::Command::Archive).refused(Rejection::NotFound);
    let mut events = created();
    events.extend(given::<Product>(&events).when(product::Command::Archive).events());
    assert_eq!(events[1], ProductArchived { product_id: id(4) }.into());
    let archived = given::<Product>(&events);
    archived.when(product::Command::Archive).nothing();
    archived.when(update(Fields { title: Some("Other".into()), ..Fields::default() })).refused(Rejection::Archived);
    assert_eq!(<Product as events::decider::Decider>::fold(&events).status(), Some("ARCHIVED"));
}

#[test]
fn the_product_of_an_access_product_changes_only_with_it() {
    let mut backing = create();
    backing.access_product_id = Some(id(3));
    let events = given::<Product>([]).when(product::Command::Create(Box::new(backing))).events();
    given::<Product>(&events).when(product::Command::Archive).refused(Rejection::BackingProduct);
    given::<Product>(&events).when(update(Fields::default())).refused(Rejection::BackingProduct);
}

mod places {
    use crate::product::free_place;
    use std::collections::BTreeSet;

    /// Takes places one after another until there are none, from `taken` on.
    fn fill(max: Option<u32>, mut taken: Vec<u32>, seed: u64) -> Vec<u32> {
        let mut draw = seed;
        while let Some(number) = free_place(max, &taken, draw) {
            assert!(!taken.contains(&number), "{number} is taken");
            taken.push(number);
            draw = draw.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        }
        taken
    }

    #[test]
    fn every_place_is_given_out_once() {
        for seed in 0..50 {
            let taken = fill(Some(7), vec![], seed);
            assert_eq!(taken.iter().copied().collect::<BTreeSet<_>>(), (0..7).collect());
        }
        assert_eq!(free_place(Some(1), &[0], 9), None);
        assert_eq!(free_place(Some(3), &[2, 0], u64::MAX), Some(1));
    }

    #[test]
    fn a_lower_cap_counts_what_is_taken_beyond_it() {
        for (max, taken) in [(3, vec![9, 4_000_000_000]), (5, vec![1, 4, 5, 6]), (2, vec![7, 8, 9]), (4, vec![3, 4, 5, 6])] {
            for seed in 0..20 {
                let all = fill(Some(max), taken.clone(), seed);
                assert_eq!(all.len(), taken.len().max(max as usize), "{max} {taken:?} {seed}");
            }
        }
    }

    #[test]
    fn without_a_cap_any_number_will_do() {
        assert_eq!(free_place(None, &[], u64::MAX), Some(u32::MAX));
    }
}
