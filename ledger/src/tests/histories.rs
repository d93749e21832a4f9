//! Properties that hold after any history: commands in any order, evidence of one purchase brought to another.

use super::samples::*;
use crate::{
    Cited,
    access_app::AccessApp,
    access_product::AccessProduct,
    api_key::ApiKey,
    audit::Audit,
    entitlement::{self, Entitlement},
    evidence::{Evidence, ReceiptEvidence, SandboxEvidence},
    membership::{self, Membership},
    payment::{self, Payment},
    payment_session::{self, PaymentSession},
    product::Product,
    proof::{self, Proof},
    rail_setting::RailSetting,
    receipt::{self, Receipt},
    sandbox_session::{self, SandboxSession},
    subject::Subject,
    ticket::Ticket,
    webhook_delivery::WebhookDelivery,
    webhook_endpoint::WebhookEndpoint,
};
use events::{
    decider::Decider,
    vocab::{
        bytes::Hash32,
        event::*,
        id::{EventId, MembershipId},
        money::FeeBps,
        words::{Outcome, Trigger},
    },
};

/// SplitMix64: a seed names its history, so that a failure can be run again.
pub struct Dice(pub u64);
impl Dice {
    pub fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
    pub fn below(&mut self, sides: u64) -> u64 {
        self.roll() % sides
    }
    pub fn one_in(&mut self, sides: u64) -> bool {
        self.below(sides) == 0
    }
}

type Log = Vec<(EventId, Event)>;

/// One buyer's purchase, and the sandbox session that he tries beside it.
#[derive(Default)]
struct Purchase {
    n: u128,
    log: Log,
    session: PaymentSession,
    payment: Payment,
    proof: Proof,
    receipt: Receipt,
    membership: Membership,
    entitlement: Entitlement,
    sandbox: SandboxSession,
    sandbox_entitlement: Entitlement,
}

/// Does what is asked, if the decider allows it.
fn ask<D: Decider<State = D> + Default>(all: &mut Log, own: &mut Log, state: &mut D, command: D::Command) {
    let Ok(facts) = D::decide(state, command) else { return };
    for fact in facts {
        let entry = (id(10_000 + all.len() as u128), fact.event.clone());
        all.push(entry.clone());
        own.push(entry);
        *state = D::evolve(std::mem::take(state), &fact.event);
    }
}

/// The last event of a kind in a purchase.
macro_rules! last {
    ($log:expr, $variant:ident) => {
        $log.iter().rev().find_map(|(id, event)| match event {
            Event::$variant(payload) => Some(Cited::new(*id, payload.clone())),
            _ => None,
        })
    };
}

/// The ids of a purchase's things.
fn thing<T: From<uuid::Uuid>>(n: u128, kind: u128) -> T {
    id(n * 100 + kind)
}

fn evidence(log: &Log) -> Option<ReceiptEvidence> {
    let payment = last!(log, PaymentConfirmed)?.event;
    Some(ReceiptEvidence {
        owner_id: id(OWNER),
        livemode: true,
        session: last!(log, PaymentSessionCreated)?.event,
        requirement: last!(log, PaymentRequirementAuthored)?.event,
        proof: last!(log, ProofFingerprinted)?.event,
        settlement: last!(log, SettlementEvidenced)?,
        receipt: last!(log, ReceiptCreated)?,
        mapped: last!(log, ReceiptMapped)?,
        membership_id: None,
        payment,
    })
}

fn sandbox_evidence(log: &Log) -> Option<SandboxEvidence> {
    let session = last!(log, SandboxSessionCreated)?.event;
    Some(SandboxEvidence { owner_id: id(OWNER), livemode: false, session, confirmed: last!(log, SandboxSessionConfirmed)? })
}

/// One step of a purchase, with evidence from `other`, which is mostly its own. `None` when what it needs is not there yet.
fn step(dice: &mut Dice, all: &mut Log, p: &mut Purchase, other: &Log) -> Option<()> {
    let n = p.n;
    let now = at(dice.below(2_000) as i64);
    match dice.below(17) {
        0 => {
            let mut create = session_create();
            create.session_id = thing(n, 1);
            create.payment_id = thing(n, 2);
            create.entitlement_id = thing(n, 3);
            create.subject_id = thing(n, 4);
            create.amount = last!(p.log, PaymentCreated).map_or_else(|| dice.roll() >> 10, |c| c.event.amount.units());
            ask(all, &mut p.log, &mut p.session, payment_session::Command::Create(Box::new(create)));
        }
        1 => {
            let mut create = payment_create();
            create.session_id = Some(thing(n, 1));
            create.payment_id = thing(n, 2);
            create.entitlement_id = Some(thing(n, 3));
            create.subject_id = thing(n, 4);
            create.nonce = [n as u8; 16];
            create.amount = last!(p.log, PaymentSessionCreated).map_or_else(|| dice.roll() >> 10, |c| c.event.amount.units());
            create.fee_bps = FeeBps::new(dice.below(10_001) as u16).unwrap();
            ask(all, &mut p.log, &mut p.payment, payment::Command::Create(Box::new(create)));
        }
        2 => {
            let command = payment_session::Command::AuthorRequirement {
                owner_id: id(OWNER),
                session: last!(other, PaymentSessionCreated)?,
                payment: Box::new(last!(other, PaymentCreated)?.event),
                network: NETWORK.into(),
                x402: None,
            };
            ask(all, &mut p.log, &mut p.session, command);
        }
        3 => {
            let mut pend = pend();
            pend.entitlement_id = thing(n, 3);
            pend.subject_id = thing(n, 4);
            pend.origin = EntitlementOrigin::Session { session_id: thing(n, 1), payment_id: thing(n, 2) };
            ask(all, &mut p.log, &mut p.entitlement, entitlement::Command::Pend(Box::new(pend)));
        }
        4 => {
            let requirement = last!(other, PaymentRequirementAuthored)?;
            let mut new = fingerprint(&last!(p.log, PaymentCreated)?.event, &requirement.event);
            new.proof_id = thing(n, 5);
            new.signed = crate::proof::Signed::Transaction(tx(n as u8));
            new.basis = proof::Basis::Requirement(Box::new(requirement));
            ask(all, &mut p.log, &mut p.proof, proof::Command::Fingerprint(Box::new(new)));
        }
        5 => {
            let outcome = Outcome::ALL[dice.below(4) as usize];
            let proof::Command::RecordVerification(mut look) = look(Trigger::Watcher, outcome, Some("not_found")) else {
                unreachable!("look asks for a verification")
            };
            look.proof_event = last!(p.log, ProofFingerprinted).map_or(id(1), |cited| cited.id);
            ask(all, &mut p.log, &mut p.proof, proof::Command::RecordVerification(look));
        }
        6 => {
            let mut settle = settle(&last!(other, PaymentCreated)?.event);
            settle.verification_event = last!(p.log, VerificationAttempted).map_or(id(1), |cited| cited.id);
            ask(all, &mut p.log, &mut p.proof, proof::Command::Settle(Box::new(settle)));
        }
        7 => {
            let mut facts = receipt_facts(&last!(other, PaymentCreated)?.event, &last!(other, SettlementEvidenced)?.event);
            facts.settlement.id = last!(other, SettlementEvidenced)?.id;
            facts.receipt_id = thing(n, 6);
            ask(all, &mut p.log, &mut p.receipt, receipt::Command::Create(Box::new(receipt_create(facts))));
        }
        8 => {
            let settlement_event = last!(p.log, SettlementEvidenced)?.id;
            let receipt = Box::new(last!(other, ReceiptCreated)?);
            ask(all, &mut p.log, &mut p.proof, proof::Command::MapReceipt { settlement_event, receipt });
        }
        9 => {
            let settlement = last!(other, SettlementEvidenced)?;
            ask(all, &mut p.log, &mut p.payment, payment::Command::Confirm { settlement, identity_session_id: None, paid_at: now, now });
        }
        10 => {
            let tx = tx(if dice.one_in(20) { 9 } else { n as u8 });
            let command = match dice.below(40) {
                0 => payment::Command::Expire { now },
                1 => payment::Command::Fail { tx, reason: "tx_err".into(), now },
                2..20 => {
                    let outcome = Outcome::ALL[dice.below(4) as usize];
                    payment::Command::RecordAttempt { tx, trigger: Trigger::Watcher, outcome, reason: None }
                }
                _ => payment::Command::RecordBroadcast { tx, payer_wallet: None, wallet_source: None, now },
            };
            ask(all, &mut p.log, &mut p.payment, command);
        }
        11 => {
            let payment = last!(other, PaymentConfirmed)?;
            let mut pay = pay(&payment.event);
            pay.subject_id = thing(n, 4);
            pay.membership_id = MembershipId::of(payment.event.product_id, thing(n, 4));
            (pay.payment, pay.now) = (payment, now);
            ask(all, &mut p.log, &mut p.membership, membership::Command::Pay(Box::new(pay)));
        }
        12 | 13 => {
            let evidence = match dice.one_in(3) {
                false => Evidence::Receipt(Box::new(evidence(other)?)),
                true => Evidence::Sandbox(Box::new(sandbox_evidence(other)?)),
            };
            let livemode = matches!(evidence, Evidence::Receipt(_)) != dice.one_in(6);
            let activate = entitlement::Activate { owner_id: id(OWNER), livemode, evidence, current_end: None, now };
            let command = entitlement::Command::Activate(Box::new(activate));
            match dice.one_in(3) {
                false => ask(all, &mut p.log, &mut p.entitlement, command),
                true => ask(all, &mut p.log, &mut p.sandbox_entitlement, command),
            }
        }
        14 => {
            let command = match dice.below(40) {
                0 => payment_session::Command::Expire { now, transaction_recorded: dice.one_in(2) },
                _ => payment_session::Command::Confirm { entitlement: last!(other, EntitlementActivated)? },
            };
            ask(all, &mut p.log, &mut p.session, command);
        }
        15 => {
            let command = match dice.below(60) {
                0 => entitlement::Command::Fail { reason: "abandoned".into() },
                1 => entitlement::Command::Revoke { reason: "abuse".into() },
                _ => entitlement::Command::Expire { now: at(dice.below(9_000_000) as i64) },
            };
            ask(all, &mut p.log, &mut p.entitlement, command);
        }
        _ => sandbox_step(dice, all, p),
    }
    Some(())
}

fn sandbox_step(dice: &mut Dice, all: &mut Log, p: &mut Purchase) {
    let n = p.n;
    match dice.below(7) {
        0 | 1 => {
            let create = sandbox_session::Create {
                sandbox_session_id: thing(n, 7),
                access_product_id: id(3),
                product_id: id(4),
                entitlement_id: thing(n, 8),
                subject_id: thing(n, 4),
                wallet: None,
                rail_id: events::vocab::rail::RailId::SolanaUsdc,
                sandbox_enabled: true,
                sandbox_mode_confirmed: true,
                proof_hash: Hash32::of("right"),
                expires_at: at(1_800),
                test_clock_id: None,
                personal: customer(),
            };
            ask(all, &mut p.log, &mut p.sandbox, sandbox_session::Command::Create(Box::new(create)));
        }
        2 | 3 => {
            let mut pend = pend();
            pend.entitlement_id = thing(n, 8);
            pend.subject_id = thing(n, 4);
            pend.origin = EntitlementOrigin::Sandbox { sandbox_session_id: thing(n, 7), test_clock_id: None };
            ask(all, &mut p.log, &mut p.sandbox_entitlement, entitlement::Command::Pend(Box::new(pend)));
        }
        4 if dice.one_in(4) => {
            let now = at(dice.below(2_000) as i64);
            ask(all, &mut p.log, &mut p.sandbox, sandbox_session::Command::Expire { now });
        }
        _ => {
            let proof_hash = Hash32::of(if dice.one_in(3) { "wrong" } else { "right" });
            let now = at(dice.below(2_000) as i64);
            ask(all, &mut p.log, &mut p.sandbox, sandbox_session::Command::Confirm { proof_hash, now });
        }
    }
}

fn history(seed: u64) -> Log {
    let mut dice = Dice(seed);
    let mut all = Log::new();
    let mut purchases = [1, 2].map(|n| Purchase { n, ..Purchase::default() });
    for _ in 0..600 {
        let which = dice.below(2) as usize;
        let whose = if dice.one_in(5) { 1 - which } else { which };
        let other = purchases[whose].log.clone();
        step(&mut dice, &mut all, &mut purchases[which], &other);
    }
    all
}

/// What must hold of an event, given those before it.
fn check(before: &[(EventId, Event)], event: &Event) {
    let cites = |cited: EventId, expected: EventType| {
        assert!(before.iter().any(|(id, event)| *id == cited && event.event_type() == expected), "{event:?} cites no {expected:?}");
    };
    match event {
        Event::PaymentCreated(e) => assert_eq!(e.merchant_amount.checked_add(e.fee_amount), Some(e.amount)),
        Event::PaymentRequirementAuthored(e) => {
            cites(e.session_event, EventType::PaymentSessionCreated);
            assert_eq!(e.merchant_amount.checked_add(e.fee_amount), Some(e.gross));
            assert_eq!(e.required_transfers.iter().map(|leg| leg.amount.units()).sum::<u64>(), e.gross.units());
        }
        Event::ProofFingerprinted(e) => cites(e.requirement_event, EventType::PaymentRequirementAuthored),
        Event::VerificationAttempted(e) => cites(e.proof_event, EventType::ProofFingerprinted),
        Event::SettlementEvidenced(e) => {
            assert_eq!(e.merchant_amount.checked_add(e.fee_amount), Some(e.gross));
            let passed = |event: &Event| matches!(event, Event::VerificationAttempted(look) if look.outcome == Outcome::Passed);
            assert!(before.iter().any(|(id, event)| *id == e.verification_event && passed(event)), "{e:?}");
        }
        Event::ReceiptCreated(e) => cites(e.settlement_event.expect("a settlement"), EventType::SettlementEvidenced),
        Event::ReceiptMapped(e) => {
            cites(e.settlement_event, EventType::SettlementEvidenced);
            cites(e.receipt_event, EventType::ReceiptCreated);
        }
        Event::PaymentConfirmed(e) => cites(e.settlement_event, EventType::SettlementEvidenced),
        Event::MembershipActivated(e) => cites(e.payment_event, EventType::PaymentConfirmed),
        Event::MembershipRenewed(e) => cites(e.payment_event, EventType::PaymentConfirmed),
        Event::EntitlementActivated(e) => activated_on_its_own_evidence(before, e),
        Event::PaymentSessionConfirmed(e) => cites(e.entitlement_event, EventType::EntitlementActivated),
        _ => {}
    }
}

fn activated_on_its_own_evidence(before: &[(EventId, Event)], activated: &EntitlementActivated) {
    let supports = |(id, event): &(EventId, Event)| match (activated.evidence, event) {
        (ActivationEvidence::Receipt { receipt_mapped_event, .. }, Event::ReceiptMapped(mapped)) => {
            *id == receipt_mapped_event && mapped.entitlement_id == Some(activated.entitlement_id)
        }
        (ActivationEvidence::Sandbox { sandbox_session_id, confirmed_event }, Event::SandboxSessionConfirmed(confirmed)) => {
            *id == confirmed_event && confirmed.sandbox_session_id == sandbox_session_id
        }
        _ => false,
    };
    let waited_for = |(_, event): &(EventId, Event)| match (activated.evidence, event) {
        (evidence, Event::EntitlementPended(pended)) if pended.entitlement_id == activated.entitlement_id => {
            matches!(evidence, ActivationEvidence::Sandbox { .. }) == matches!(pended.origin, EntitlementOrigin::Sandbox { .. })
        }
        _ => false,
    };
    assert!(before.iter().any(supports), "{activated:?}");
    assert!(before.iter().any(waited_for), "{activated:?}");
}

#[test]
fn whatever_is_asked_in_whatever_order_every_stage_cites_the_earlier_one_and_money_adds_up() {
    let (mut live, mut sandbox, mut blocked, mut confirmed) = (0, 0, 0, 0);
    for seed in 0..300 {
        let log = history(seed);
        for (index, (_, event)) in log.iter().enumerate() {
            check(&log[..index], event);
            match event {
                Event::EntitlementActivated(e) if matches!(e.evidence, ActivationEvidence::Sandbox { .. }) => sandbox += 1,
                Event::EntitlementActivated(_) => live += 1,
                Event::EntitlementActivationBlocked(_) => blocked += 1,
                Event::PaymentSessionConfirmed(_) => confirmed += 1,
                _ => {}
            }
        }
    }
    // The histories are worth something only if they get to the end.
    assert!(live > 50 && sandbox > 50 && blocked > 50 && confirmed > 50, "{live} {sandbox} {blocked} {confirmed}");
}

#[test]
fn a_repeated_or_shuffled_history_folds_without_a_panic() {
    for seed in 0..50 {
        let mut dice = Dice(seed);
        let mut events: Vec<Event> = history(seed).into_iter().map(|(_, event)| event).collect();
        events.extend(events.clone());
        for place in (1..events.len()).rev() {
            events.swap(place, dice.below(place as u64 + 1) as usize);
        }
        fn folds<D: Decider>(events: &[Event]) {
            D::fold(events);
        }
        for fold in [
            folds::<AccessApp>,
            folds::<AccessProduct>,
            folds::<ApiKey>,
            folds::<Audit>,
            folds::<Entitlement>,
            folds::<Membership>,
            folds::<Payment>,
            folds::<PaymentSession>,
            folds::<Product>,
            folds::<Proof>,
            folds::<RailSetting>,
            folds::<Receipt>,
            folds::<SandboxSession>,
            folds::<Subject>,
            folds::<Ticket>,
            folds::<WebhookDelivery>,
            folds::<WebhookEndpoint>,
        ] {
            fold(&events);
        }
    }
}
