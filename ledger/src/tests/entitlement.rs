use super::samples::*;
use crate::{
    Cited,
    entitlement::{Activate, Command, Entitlement, Extended, Rejection, blocked},
    evidence::{Evidence, MembershipEvidence, ReceiptEvidence, SandboxEvidence},
    spec::given,
};
use events::{
    decider::Decider as _,
    vocab::{event::*, id::MembershipId, personal::Personal, rail::RailId},
};

/// A change of evidence, and what it must be blocked for.
type Change<E> = (fn(&mut E), &'static str);

fn pended(live: &Live) -> Vec<Event> {
    vec![live.pended.clone().into()]
}
fn activate(activate: Activate) -> Command {
    Command::Activate(Box::new(activate))
}
fn active(live: &Live) -> Vec<Event> {
    let events = given::<Entitlement>(&pended(live)).when(activate(live.activate())).events();
    [pended(live), events].concat()
}
fn sandbox() -> (EntitlementPended, SandboxEvidence) {
    let live = Live::run();
    let pended = EntitlementPended { origin: EntitlementOrigin::Sandbox { sandbox_session_id: id(1), test_clock_id: None }, ..live.pended };
    let session = SandboxSessionCreated {
        sandbox_session_id: id(1),
        access_product_id: id(3),
        product_id: id(4),
        entitlement_id: id(6),
        subject_id: id(7),
        wallet: None,
        rail_id: RailId::SolanaUsdc,
        proof_hash: events::vocab::bytes::Hash32::of("proof"),
        expires_at: at(1_800),
        test_clock_id: None,
    };
    let confirmed = SandboxSessionConfirmed { sandbox_session_id: id(1), confirmed_at: at(5) };
    (pended, SandboxEvidence { owner_id: id(OWNER), livemode: false, session, confirmed: Cited::new(id(70), confirmed) })
}

#[test]
fn a_bound_receipt_activates_for_exactly_the_duration() {
    let live = Live::run();
    let events = given::<Entitlement>(&pended(&live)).when(activate(live.activate())).events();
    let activated = payload!(events[0].clone(), EntitlementActivated);
    assert_eq!((activated.active_from, activated.expires_at), (at(60), at(60).plus_days(30)));
    let ActivationEvidence::Receipt { receipt_mapped_event, .. } = activated.evidence else { panic!("{activated:?}") };
    assert_eq!(receipt_mapped_event, id(MAPPED_EVENT));
    given::<Entitlement>(&active(&live)).when(activate(live.activate())).nothing();
}

#[test]
fn a_second_payment_extends_from_the_current_end() {
    let live = Live::run();
    let mut again = live.activate();
    again.current_end = Some(at(500));
    let events = given::<Entitlement>(&pended(&live)).when(activate(again)).events();
    let activated = payload!(events[0].clone(), EntitlementActivated);
    assert_eq!((activated.active_from, activated.expires_at), (at(500), at(500).plus_days(30)));
}

#[test]
fn every_element_of_the_tuple_that_differs_blocks_by_name() {
    let live = Live::run();
    let changes: [Change<ReceiptEvidence>; 30] = [
        (|e| e.owner_id = id(99), "owner"),
        (|e| e.livemode = false, "mode"),
        (|e| e.session.session_id = id(99), "session"),
        (|e| e.requirement.session_id = id(99), "session"),
        (|e| e.proof.session_id = None, "session"),
        (|e| e.payment.session_id = Some(id(99)), "session"),
        (|e| e.session.access_product_id = id(99), "access_product"),
        (|e| e.receipt.event.access_product_id = None, "access_product"),
        (|e| e.session.product_id = id(99), "product"),
        (|e| e.payment.product_id = id(99), "product"),
        (|e| e.receipt.event.product_id = Some(id(99)), "product"),
        (|e| e.session.subject_id = id(99), "customer"),
        (|e| e.proof.subject_id = id(99), "customer"),
        (|e| e.session.entitlement_id = id(99), "entitlement"),
        (|e| e.mapped.event.entitlement_id = None, "entitlement"),
        (|e| e.proof.payment_id = id(99), "payment"),
        (|e| e.payment.payment_id = id(99), "payment"),
        (|e| e.receipt.event.payment_id = Some(id(99)), "payment"),
        (|e| e.proof.requirement_hash = None, "requirement"),
        (|e| e.requirement.rail_id = RailId::BaseUsdc, "rail"),
        (|e| e.settlement.event.proof_id = id(99), "proof"),
        (|e| e.mapped.event.proof_id = id(99), "proof"),
        (|e| e.settlement.event.gross = minor(1), "settlement"),
        (|e| e.settlement.id = id(99), "settlement"),
        (|e| e.settlement.event.tx_signature = tx(2), "settlement"),
        (|e| e.payment.settlement_event = id(99), "settlement"),
        (|e| e.receipt.id = id(99), "receipt"),
        (|e| e.receipt.event.receipt_id = id(99), "receipt"),
        (|e| e.receipt.event.amount = minor(1), "receipt"),
        (|e| e.mapped.event.receipt_id = id(99), "receipt"),
    ];
    for (number, (change, element)) in changes.into_iter().enumerate() {
        let mut evidence = live.evidence();
        change(&mut evidence);
        let attempt = Activate { evidence: Evidence::Receipt(Box::new(evidence)), ..live.activate() };
        let facts = given::<Entitlement>(&pended(&live)).when(activate(attempt.clone())).facts();
        assert_eq!(blocked(&facts), Some(format!("{element}_mismatch").as_str()), "change {number}");
        assert_eq!(facts.len(), 1);
        // Blocked is not closed: the right evidence still activates, and the same wrong one leaves no second trace.
        let history = [pended(&live), vec![facts[0].event.clone()]].concat();
        given::<Entitlement>(&history).when(activate(attempt)).nothing();
        assert_eq!(given::<Entitlement>(&history).when(activate(live.activate())).events().len(), 1);
    }
}

#[test]
fn sandbox_evidence_activates_only_its_own_sandbox_entitlement() {
    let (waiting, evidence) = sandbox();
    let attempt = |evidence: SandboxEvidence, livemode| {
        activate(Activate { owner_id: id(OWNER), livemode, evidence: Evidence::Sandbox(Box::new(evidence)), current_end: None, now: at(5) })
    };
    let entitlement = given::<Entitlement>([waiting.clone().into()]);
    let events = entitlement.when(attempt(evidence.clone(), false)).events();
    assert!(matches!(payload!(events[0].clone(), EntitlementActivated).evidence, ActivationEvidence::Sandbox { .. }));

    let changes: [Change<SandboxEvidence>; 6] = [
        (|e| e.owner_id = id(99), "owner_mismatch"),
        (|e| e.livemode = true, "mode_mismatch"),
        (|e| e.confirmed.event.sandbox_session_id = id(99), "session_mismatch"),
        (|e| e.session.product_id = id(99), "product_mismatch"),
        (|e| e.session.subject_id = id(99), "customer_mismatch"),
        (|e| e.session.entitlement_id = id(99), "entitlement_mismatch"),
    ];
    for (change, why) in changes {
        let mut other = evidence.clone();
        change(&mut other);
        assert_eq!(blocked(&entitlement.when(attempt(other, false)).facts()), Some(why));
    }
    // Never promotable: not in a live stream, not on an entitlement that waits for money, and a receipt does not reach it.
    assert_eq!(blocked(&entitlement.when(attempt(evidence.clone(), true)).facts()), Some("mode_mismatch"));
    let live = Live::run();
    let paid = given::<Entitlement>(&pended(&live));
    assert_eq!(blocked(&paid.when(attempt(evidence, false)).facts()), Some("origin_mismatch"));
    assert_eq!(blocked(&entitlement.when(activate(live.activate())).facts()), Some("origin_mismatch"));
}

#[test]
fn rejections_of_a_pending_entitlement_in_order_of_precedence() {
    let mut nobody = pend();
    (nobody.personal, nobody.duration_days) = (Personal::default(), 0);
    let entitlement = given::<Entitlement>([]);
    entitlement.when(Command::Pend(Box::new(nobody))).refused(Rejection::CustomerIdentityRequired);
    let mut never = pend();
    never.duration_days = 0;
    entitlement.when(Command::Pend(Box::new(never))).refused(Rejection::DurationOutOfRange);
    entitlement.when(activate(Live::run().activate())).refused(Rejection::NotFound);
}

#[test]
fn the_transitions_that_are_allowed_and_no_others() {
    let live = Live::run();
    let revoke = |reason: &str| Command::Revoke { reason: reason.into() };
    let fail = |reason: &str| Command::Fail { reason: reason.into() };
    let expire = Command::Expire { now: at(60).plus_days(30) };
    let after = |history: Vec<Event>, command: Command| {
        let events = given::<Entitlement>(&history).when(command).events();
        [history, events].concat()
    };
    let pending = pended(&live);
    let active = active(&live);
    let expired = after(active.clone(), expire.clone());
    let revoked = after(active.clone(), revoke("abuse"));
    let failed = after(pending.clone(), fail("abandoned"));
    let no = |history: &[Event], command: &Command, from, to| {
        given::<Entitlement>(history).when(command.clone()).refused(Rejection::TransitionNotAllowed { from, to });
    };
    no(&pending, &expire, "pending", "expired");
    no(&revoked, &expire, "revoked", "expired");
    no(&expired, &revoke(""), "expired", "revoked");
    no(&failed, &revoke("abuse"), "failed", "revoked");
    no(&active, &fail(""), "active", "failed");
    no(&expired, &activate(live.activate()), "expired", "active");
    given::<Entitlement>(&active).when(Command::Expire { now: at(61) }).refused(Rejection::NotExpiredYet);
    given::<Entitlement>(&active).when(revoke(" ")).refused(Rejection::ReasonRequired);
    given::<Entitlement>(&pending).when(fail("")).refused(Rejection::ReasonRequired);
    given::<Entitlement>(&expired).when(expire).nothing();
    given::<Entitlement>(&revoked).when(revoke("abuse")).nothing();
    given::<Entitlement>(&failed).when(fail("abandoned")).nothing();
    assert_eq!(after(failed, fail("double booking")).len(), 3);
    assert_eq!(after(pending, revoke("abuse")).len(), 2);
}

#[test]
fn a_payment_for_what_staff_have_closed_leaves_a_trace_and_opens_nothing() {
    let live = Live::run();
    let close = [(Command::Revoke { reason: "fraud".into() }, "revoked"), (Command::Fail { reason: "fraud".into() }, "failed")];
    for (command, status) in close {
        let closed = [pended(&live), given::<Entitlement>(&pended(&live)).when(command).events()].concat();
        let facts = given::<Entitlement>(&closed).when(activate(live.activate())).facts();
        assert_eq!((facts.len(), blocked(&facts)), (1, Some(format!("entitlement_{status}").as_str())));
        let after = [closed, vec![facts[0].event.clone()]].concat();
        assert_eq!(Entitlement::fold(&after).status(), status);
        assert!(Entitlement::fold(&after).is_closed());
        given::<Entitlement>(&after).when(activate(live.activate())).nothing();
        let synced = activate(Activate { evidence: membership(&live), ..live.activate() });
        given::<Entitlement>(&after).when(synced).refused(Rejection::TransitionNotAllowed { from: status, to: "active" });
    }
}

fn membership(live: &Live) -> Evidence {
    let (product_id, subject_id) = (live.pended.product_id, live.pended.subject_id);
    let linked = MembershipEntitlementLinked {
        membership_id: MembershipId::of(product_id, subject_id),
        product_id,
        subject_id,
        entitlement_id: live.pended.entitlement_id,
        period_end: at(1_000),
        by: "staff-1".into(),
        reason: "paid at the hosted checkout".into(),
    };
    Evidence::Membership(Box::new(MembershipEvidence { owner_id: id(OWNER), livemode: true, linked: Cited::new(id(90), linked) }))
}

#[test]
fn a_membership_of_the_same_customer_opens_what_waits_for_as_long_as_it_is_paid() {
    let live = Live::run();
    let attempt = |evidence| Activate { evidence, ..live.activate() };
    let entitlement = given::<Entitlement>(&pended(&live));
    let events = entitlement.when(activate(attempt(membership(&live)))).events();
    let activated = payload!(events[0].clone(), EntitlementActivated);
    assert_eq!((activated.active_from, activated.expires_at), (at(60), at(1_000)));
    let own = MembershipId::of(live.pended.product_id, live.pended.subject_id);
    assert_eq!(activated.evidence, ActivationEvidence::Membership { membership_id: own, linked_event: id(90) });
    given::<Entitlement>([pended(&live), events.clone()].concat()).when(activate(attempt(membership(&live)))).nothing();

    // A payment that comes all the same renews the membership, and it goes on as long.
    let renewed = MembershipRenewed { membership_id: own, period_end: at(9_000), ..renewal_of(&live) };
    let extended = Extended::Renewed(Box::new(Cited::new(id(91), renewed)));
    let more = given::<Entitlement>([pended(&live), events].concat()).when(Command::Renew { extended }).events();
    let longer = payload!(more[0].clone(), EntitlementRenewed);
    assert_eq!((longer.expires_at, longer.membership_event), (at(9_000), id(91)));

    let changes: [Change<MembershipEvidence>; 6] = [
        (|e| e.owner_id = id(99), "owner"),
        (|e| e.livemode = false, "mode"),
        (|e| e.linked.event.product_id = id(99), "product"),
        (|e| e.linked.event.subject_id = id(99), "customer"),
        (|e| e.linked.event.membership_id = id(99), "customer"),
        (|e| e.linked.event.entitlement_id = id(99), "entitlement"),
    ];
    for (change, element) in changes {
        let Evidence::Membership(mut other) = membership(&live) else { unreachable!() };
        change(&mut other);
        let facts = entitlement.when(activate(attempt(Evidence::Membership(other)))).facts();
        assert_eq!(blocked(&facts), Some(format!("{element}_mismatch").as_str()));
    }
    // INV-39: nothing promotes the sandbox's.
    let (waiting, _) = sandbox();
    let facts = given::<Entitlement>([waiting.into()]).when(activate(attempt(membership(&live)))).facts();
    assert_eq!(blocked(&facts), Some("origin_mismatch"));
}

fn renewal_of(live: &Live) -> MembershipRenewed {
    MembershipRenewed {
        membership_id: live.membership.membership_id,
        product_id: live.membership.product_id,
        subject_id: live.membership.subject_id,
        wallet: live.membership.wallet,
        payment_id: live.membership.payment_id,
        tx_signature: live.membership.tx_signature,
        period_start: at(1_000),
        period_end: at(9_000),
        grace_period_days: 0,
        renewal_reminder_offsets_days: vec![],
        platform: None,
        payment_event: id(CONFIRMED_EVENT),
    }
}
