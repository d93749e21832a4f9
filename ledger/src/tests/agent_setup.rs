use super::samples::*;
use crate::{
    agent_setup::{AgentSetup, Asked, AskedApp, AskedProduct, AskedResource, AskedWebhook, Bootstrap, Command, Rejection, Standing},
    spec::given,
};
use events::{
    decider::Decider as _,
    vocab::{
        bytes::Hash32,
        event::*,
        rail::RailId,
        words::{Scope, WebhookEvent},
    },
};

fn bootstrap() -> Bootstrap {
    Bootstrap {
        setup_intent_id: id(1),
        token_hash: Hash32::of("hst_token"),
        sandbox_key_id: id(2),
        agent_name: "Acme API Builder".into(),
        agent_platform: Some("cursor".into()),
        requested_use_case: Some("Protect an AI API endpoint".into()),
        requested_permissions: vec![Scope::Write, Scope::Read, Scope::Write],
        ttl_hours: Some(24),
        subject_id: id(3),
        now: at(0),
    }
}

fn begun() -> Vec<Event> {
    given::<AgentSetup>([]).when(Command::Bootstrap(Box::new(bootstrap()))).events()
}

fn approve(permissions: Option<Vec<Scope>>, now: i64) -> Command {
    Command::Approve { owner_id: id(9), permissions, live_key_id: Some(id(8)), now: at(now) }
}

fn reject(now: i64) -> Command {
    Command::Reject { owner_id: id(9), reason: Some("not ours".into()), now: at(now) }
}

fn attach(text: &str, now: i64) -> Command {
    Command::AttachManifest { manifest: text.into(), now: at(now) }
}

const DAY: i64 = 86_400;

#[test]
fn rejections_of_a_bootstrap_in_order_of_precedence() {
    let mut asked = Bootstrap { agent_name: " ".into(), requested_permissions: vec![], ttl_hours: Some(0), ..bootstrap() };
    let mut refuse = |mend: fn(&mut Bootstrap), why| {
        given::<AgentSetup>([]).when(Command::Bootstrap(Box::new(asked.clone()))).refused(why);
        mend(&mut asked);
    };
    refuse(
        |b| b.agent_name = "Builder".into(),
        Rejection::InvalidField { field: "agent_name", rule: "is 1 to 120 characters on one line" },
    );
    refuse(|b| b.requested_permissions = vec![Scope::Read], Rejection::PermissionsRequired);
    refuse(|b| b.ttl_hours = Some(169), Rejection::InvalidField { field: "ttl_hours", rule: "is from 1 to 168" });
    refuse(|b| b.ttl_hours = Some(168), Rejection::InvalidField { field: "ttl_hours", rule: "is from 1 to 168" });
    let events = given::<AgentSetup>([]).when(Command::Bootstrap(Box::new(asked))).events();
    assert_eq!(payload!(events[0].clone(), AgentSetupBootstrapped).expires_at, at(168 * 3_600));
}

#[test]
fn what_an_agent_says_of_itself_is_sealed_and_the_token_is_a_hash() {
    let facts = given::<AgentSetup>([]).when(Command::Bootstrap(Box::new(bootstrap()))).facts();
    let begun = payload!(facts[0].event.clone(), AgentSetupBootstrapped);
    assert_eq!((begun.requested_permissions.as_slice(), begun.expires_at), ([Scope::Read, Scope::Write].as_slice(), at(DAY)));
    let (_, personal) = facts[0].personal.clone().unwrap();
    assert!(personal.metadata.unwrap().contains("Acme API Builder"));
    assert!(!format!("{begun:?}").contains("Acme"));
}

#[test]
fn an_intent_is_decided_once_and_in_time() {
    given::<AgentSetup>([]).when(approve(None, 1)).refused(Rejection::NotFound);
    let begun = begun();
    let intent = given::<AgentSetup>(&begun);
    intent.when(approve(Some(vec![]), 1)).refused(Rejection::PermissionNotRequested);
    intent.when(approve(Some(vec![Scope::Webhooks]), 1)).refused(Rejection::PermissionNotRequested);
    intent.when(approve(None, DAY)).refused(Rejection::Expired);
    intent.when(reject(DAY)).refused(Rejection::Expired);
    let approved = intent.when(approve(Some(vec![Scope::Read]), DAY - 1)).events();
    let granted = payload!(approved[0].clone(), AgentSetupApproved);
    assert_eq!((granted.granted_permissions.as_slice(), granted.live_key_id), ([Scope::Read].as_slice(), Some(id(8))));
    let history = [begun.clone(), approved].concat();
    let decided = given::<AgentSetup>(&history);
    decided.when(approve(None, 2)).refused(Rejection::NotPending);
    decided.when(reject(2)).refused(Rejection::NotPending);
    decided.when(Command::Expire { now: at(2 * DAY) }).nothing();
    let rejected = [begun, intent.when(reject(5)).events()].concat();
    given::<AgentSetup>(&rejected).when(approve(None, 6)).refused(Rejection::NotPending);
    given::<AgentSetup>(&rejected).when(attach("{}", 6)).refused(Rejection::NotPending);
}

#[test]
fn an_intent_expires_by_the_clock_and_its_end_is_recorded_once() {
    let begun = begun();
    let intent = given::<AgentSetup>(&begun);
    intent.when(Command::Expire { now: at(DAY - 1) }).nothing();
    let expired = intent.when(Command::Expire { now: at(DAY) }).events();
    let history = [begun, expired].concat();
    given::<AgentSetup>(&history).when(Command::Expire { now: at(2 * DAY) }).nothing();
    given::<AgentSetup>(&history).when(approve(None, 1)).refused(Rejection::Expired);
    assert_eq!(Standing::Pending.as_str(at(DAY), at(DAY)), "expired");
    assert_eq!(Standing::Pending.as_str(at(DAY), at(DAY - 1)), "pending_approval");
}

#[test]
fn a_manifest_is_kept_sealed_and_nothing_else_follows_from_it() {
    let begun = begun();
    let intent = given::<AgentSetup>(&begun);
    let facts = intent.when(attach("{\"app\":1}", 1)).facts();
    assert_eq!(facts.len(), 1, "INV-59");
    let attached = payload!(facts[0].event.clone(), AgentSetupManifestAttached);
    assert_eq!(attached.manifest_hash, Hash32::of("{\"app\":1}"));
    let with = [begun, vec![facts[0].event.clone()]].concat();
    let again = given::<AgentSetup>(&with);
    again.when(attach("{\"app\":1}", 2)).nothing();
    assert_eq!(again.when(attach("{\"app\":2}", 2)).events().len(), 1);
    again.when(attach("{\"app\":2}", DAY)).refused(Rejection::Expired);
    let approved = [with, intent.when(approve(None, 3)).events()].concat();
    let state = AgentSetup::fold(&approved);
    assert!(state.has_manifest() && state.decided_by() == Some(id(9)));
    assert_eq!(given::<AgentSetup>(&approved).when(attach("{}", 4)).events().len(), 1, "until the token's time is over");
}

fn manifest() -> Asked {
    Asked {
        app: AskedApp { name: " Acme AI ".into(), external_app_id: "acme-ai".into() },
        product: AskedProduct {
            external_product_id: "pro-api".into(),
            title: "Pro API access".into(),
            amount_minor_units: 79_000_000,
            default_rail: Some(RailId::SolanaUsdc),
            allowed_rails: Some(vec![RailId::BaseUsdc, RailId::SolanaUsdc, RailId::BaseUsdc]),
            ..AskedProduct::default()
        },
        payment_protocol: None,
        settlement_rail: None,
        protected_resource: Some(AskedResource {
            url: "https://api.acme.test/ai/pro".into(),
            method: Some("post".into()),
            customer_identity: None,
        }),
        webhook: Some(AskedWebhook {
            url: "https://api.acme.test/hilt/webhook".into(),
            subscribed_events: vec![WebhookEvent::MembershipActivated, WebhookEvent::PaymentConfirmed, WebhookEvent::PaymentConfirmed],
        }),
    }
}

#[test]
fn a_manifest_is_brought_into_one_form() {
    let normalised = manifest().normalised().unwrap();
    assert_eq!((normalised.app.name.as_str(), normalised.settlement_rail), ("Acme AI", RailId::SolanaUsdc));
    assert_eq!(normalised.product.allowed_rails, [RailId::SolanaUsdc, RailId::BaseUsdc]);
    let resource = normalised.protected_resource.unwrap();
    assert_eq!((resource.method.as_deref(), resource.customer_identity.as_deref()), (Some("POST"), Some("external_customer_id")));
    assert_eq!(normalised.webhook.unwrap().subscribed_events, [WebhookEvent::PaymentConfirmed, WebhookEvent::MembershipActivated]);
}

#[test]
fn a_manifest_that_breaks_a_rule_names_the_field() {
    let field = |mend: fn(&mut Asked)| {
        let mut asked = manifest();
        mend(&mut asked);
        match asked.normalised().unwrap_err() {
            Rejection::InvalidField { field, .. } => field,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(field(|m| m.app.name = " ".into()), "manifest.app.name");
    assert_eq!(field(|m| m.product.amount_minor_units = 0), "manifest.product.amount_minor_units");
    assert_eq!(field(|m| m.product.entitlement_duration_days = Some(0)), "manifest.product.entitlement_duration_days");
    assert_eq!(field(|m| m.product.default_rail = Some(RailId::X402)), "manifest.product.default_rail");
    assert_eq!(field(|m| m.settlement_rail = Some(RailId::X402)), "manifest.settlement_rail");
    assert_eq!(field(|m| m.protected_resource.as_mut().unwrap().url = "acme".into()), "manifest.protected_resource.url");
    assert_eq!(field(|m| m.protected_resource.as_mut().unwrap().method = Some("BREW".into())), "manifest.protected_resource.method");
    assert_eq!(field(|m| m.webhook.as_mut().unwrap().url = "https://user:secret@acme.test".into()), "manifest.webhook.url");
    assert_eq!(field(|m| m.webhook.as_mut().unwrap().subscribed_events.clear()), "manifest.webhook.subscribed_events");
}
