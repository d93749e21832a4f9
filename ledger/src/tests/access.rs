use super::samples::*;
use crate::{access_app, access_product, spec::given};
use access_app::AccessApp;
use access_product::AccessProduct;
use events::vocab::{event::*, rail::RailId, words::ProductStatus};

fn create_access_product() -> access_product::Create {
    access_product::Create {
        access_product_id: id(3),
        product_id: id(4),
        app_id: id(2),
        external_product_id: "pro-ai-api".into(),
        title: "Pro AI API".into(),
        description: None,
        amount: 25_000_000,
        merchant_wallet: wallet(1),
        entitlement_duration_days: 30,
        default_rail: RailId::SolanaUsdc,
        allowed_rails: vec![RailId::BaseUsdc, RailId::SolanaUsdc, RailId::BaseUsdc],
        status: ProductStatus::Active,
        livemode: true,
        live_mode_confirmed: true,
    }
}

#[test]
fn rejections_of_an_access_product_in_order_of_precedence() {
    use access_product::Rejection::*;
    let mut create = access_product::Create {
        external_product_id: " ".into(),
        title: String::new(),
        amount: 0,
        entitlement_duration_days: 0,
        allowed_rails: vec![],
        live_mode_confirmed: false,
        ..create_access_product()
    };
    let mut refuse = |mend: fn(&mut access_product::Create), why| {
        given::<AccessProduct>([]).when(access_product::Command::Create(Box::new(create.clone()))).refused(why);
        mend(&mut create);
    };
    refuse(|c| c.external_product_id = "pro".into(), ExternalProductIdRequired);
    refuse(|c| c.title = "Pro".into(), TitleRequired);
    refuse(|c| c.amount = 1, AmountOutOfRange);
    refuse(|c| c.entitlement_duration_days = 36_501, DurationOutOfRange);
    refuse(|c| c.entitlement_duration_days = 1, DurationOutOfRange);
    refuse(|c| c.allowed_rails = vec![RailId::SolanaUsdc], DefaultRailNotAllowed);
    refuse(|c| c.status = ProductStatus::Paused, LiveModeConfirmationRequired);
    assert_eq!(given::<AccessProduct>([]).when(access_product::Command::Create(Box::new(create))).events().len(), 1);
}

#[test]
fn an_id_of_the_merchants_own_is_a_short_line() {
    let product = |external_product_id: &str| {
        let create = access_product::Create { external_product_id: external_product_id.into(), ..create_access_product() };
        given::<AccessProduct>([]).when(access_product::Command::Create(Box::new(create)))
    };
    let app = |name: &str, external_app_id: &str| {
        let (name, external_app_id) = (name.to_owned(), external_app_id.to_owned());
        let create = access_app::Create { app_id: id(2), name, external_app_id, default_rail: RailId::SolanaUsdc };
        given::<AccessApp>([]).when(access_app::Command::Create(create))
    };
    assert_eq!((product(&"x".repeat(255)).events().len(), app("App", &"x".repeat(255)).events().len()), (1, 1));
    for bad in ["x".repeat(256), "🦀".repeat(64), "two\nlines".to_owned(), "a\u{1}b".to_owned()] {
        let rule = "is one line of at most 255 bytes";
        product(&bad).refused(access_product::Rejection::ExternalProductIdInvalid { rule });
        app("App", &bad).refused(access_app::Rejection::InvalidField { field: "external_app_id", rule });
    }
    for bad in ["x".repeat(201), "two\nlines".to_owned()] {
        app(&bad, "app").refused(access_app::Rejection::InvalidField { field: "name", rule: "is one line of at most 200 characters" });
    }
}

#[test]
fn allowed_rails_are_kept_once_each_in_the_contracts_order() {
    let create = access_product::Command::Create(Box::new(create_access_product()));
    let events = given::<AccessProduct>([]).when(create.clone()).events();
    let created = payload!(events[0].clone(), AccessProductCreated);
    assert_eq!(created.allowed_rails, [RailId::SolanaUsdc, RailId::BaseUsdc]);
    given::<AccessProduct>(&events).when(create).nothing();
}

#[test]
fn a_sandbox_product_needs_no_live_mode_word() {
    let create = access_product::Create { livemode: false, live_mode_confirmed: false, ..create_access_product() };
    assert_eq!(given::<AccessProduct>([]).when(access_product::Command::Create(Box::new(create))).events().len(), 1);
}

#[test]
fn an_app_needs_a_name_and_the_merchants_id() {
    let create = |name: &str, external_app_id: &str| {
        access_app::Command::Create(access_app::Create {
            app_id: id(2),
            name: name.into(),
            external_app_id: external_app_id.into(),
            default_rail: RailId::SolanaUsdc,
        })
    };
    let app = given::<AccessApp>([]);
    app.when(create("", "")).refused(access_app::Rejection::NameRequired);
    app.when(create("Pro", " ")).refused(access_app::Rejection::ExternalAppIdRequired);
    let events = app.when(create("Pro", "pro")).events();
    given::<AccessApp>(&events).when(create("Pro", "pro")).nothing();
    given::<AccessApp>(&events).when(create("Pro", "other")).refused(access_app::Rejection::AlreadyExists);
}

fn existing(status: ProductStatus) -> Vec<Event> {
    let create = access_product::Create { status, ..create_access_product() };
    given::<AccessProduct>([]).when(access_product::Command::Create(Box::new(create))).events()
}

fn change(change: access_product::Change) -> access_product::Command {
    access_product::Command::Change(Box::new(access_product::Change { livemode: true, ..change }))
}

#[test]
fn rejections_of_a_change_in_order_of_precedence() {
    use access_product::Rejection::*;
    given::<AccessProduct>([]).when(change(access_product::Change::default())).refused(NotFound);
    let selling = existing(ProductStatus::Active);
    let product = given::<AccessProduct>(&selling);
    let mut asked = access_product::Change {
        title: Some(" ".into()),
        amount: Some(0),
        entitlement_duration_days: Some(0),
        allowed_rails: Some(vec![RailId::BaseUsdc]),
        ..access_product::Change::default()
    };
    let mut refuse = |mend: fn(&mut access_product::Change), why| {
        product.when(change(asked.clone())).refused(why);
        mend(&mut asked);
    };
    refuse(|c| c.title = Some("Pro".into()), TitleRequired);
    refuse(|c| c.amount = Some(1), AmountOutOfRange);
    refuse(|c| c.entitlement_duration_days = Some(36_500), DurationOutOfRange);
    refuse(|c| c.default_rail = Some(RailId::BaseUsdc), DefaultRailNotAllowed);
    refuse(|c| c.live_mode_confirmed = true, LiveModeConfirmationRequired);
    assert_eq!(product.when(change(asked)).events().len(), 1);
}

#[test]
fn a_live_product_starts_to_sell_only_on_the_merchants_word_and_stops_without_it() {
    let paused = existing(ProductStatus::Paused);
    let to = |status, live_mode_confirmed| {
        change(access_product::Change { status: Some(status), live_mode_confirmed, ..access_product::Change::default() })
    };
    let product = given::<AccessProduct>(&paused);
    product.when(to(ProductStatus::Active, false)).refused(access_product::Rejection::LiveModeConfirmationRequired);
    product.when(to(ProductStatus::Paused, false)).nothing();
    let activated = product.when(to(ProductStatus::Active, true)).events();
    assert!(payload!(activated[0].clone(), AccessProductActivated).live_mode_confirmed);
    let selling = [paused, activated].concat();
    given::<AccessProduct>(&selling).when(to(ProductStatus::Active, true)).nothing();
    let stopped = given::<AccessProduct>(&selling).when(to(ProductStatus::Paused, false)).events();
    stopped[0].clone().event_type().eq(&EventType::AccessProductPaused).then_some(()).expect("it is paused");
    let again = [selling, stopped].concat();
    given::<AccessProduct>(&again).when(to(ProductStatus::Active, false)).refused(access_product::Rejection::LiveModeConfirmationRequired);
}

#[test]
fn a_change_says_only_what_changed_and_folds_to_it() {
    let paused = existing(ProductStatus::Paused);
    let asked = access_product::Change {
        title: Some(" Pro, yearly ".into()),
        description: Some(Some("A year".into())),
        amount: Some(25_000_000),
        allowed_rails: Some(vec![RailId::SolanaUsdc, RailId::SolanaUsdc]),
        ..access_product::Change::default()
    };
    let events = given::<AccessProduct>(&paused).when(change(asked.clone())).events();
    let changes = payload!(events[0].clone(), AccessProductUpdated).changes;
    assert_eq!(
        changes,
        [
            AccessProductChange::Title("Pro, yearly".into()),
            AccessProductChange::Description(Some("A year".into())),
            AccessProductChange::AllowedRails(vec![RailId::SolanaUsdc]),
        ]
    );
    given::<AccessProduct>([paused, events].concat()).when(change(asked)).nothing();
}
