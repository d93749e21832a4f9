use super::samples::*;
use crate::{
    sandbox_session::{Candidate, Command, Create, Rejection, SandboxSession, refusal},
    spec::given,
};
use events::{
    decider::Decider as _,
    vocab::{bytes::Hash32, event::*, personal::Personal, rail::RailId, words::PaymentProtocol},
};

fn create() -> Create {
    Create {
        sandbox_session_id: id(60),
        access_product_id: id(3),
        product_id: id(4),
        entitlement_id: id(6),
        subject_id: id(7),
        wallet: None,
        rail_id: RailId::X402,
        sandbox_enabled: true,
        sandbox_mode_confirmed: true,
        proof_hash: Hash32::of("hilt_sandbox_v1.secret"),
        expires_at: at(1_800),
        test_clock_id: None,
        personal: customer(),
    }
}
fn created() -> Vec<Event> {
    given::<SandboxSession>([]).when(Command::Create(Box::new(create()))).events()
}
fn confirm(proof: &str, seconds: i64) -> Command {
    Command::Confirm { proof_hash: Hash32::of(proof), now: at(seconds) }
}
const RIGHT: &str = "hilt_sandbox_v1.secret";

#[test]
fn rejections_of_a_sandbox_session_in_order_of_precedence() {
    let mut create = create();
    (create.sandbox_mode_confirmed, create.sandbox_enabled, create.personal) = (false, false, Personal::default());
    let mut refuse = |mend: fn(&mut Create), why| {
        given::<SandboxSession>([]).when(Command::Create(Box::new(create.clone()))).refused(why);
        mend(&mut create);
    };
    refuse(|c| c.sandbox_mode_confirmed = true, Rejection::ModeConfirmationRequired);
    refuse(|c| c.sandbox_enabled = true, Rejection::RailDisabled { rail: RailId::X402 });
    refuse(|c| c.wallet = Some("w".into()), Rejection::CustomerIdentityRequired);
    assert_eq!(given::<SandboxSession>([]).when(Command::Create(Box::new(create))).events().len(), 1);
    given::<SandboxSession>([]).when(confirm(RIGHT, 0)).refused(Rejection::NotFound);
}

#[test]
fn the_right_proof_in_time_confirms_once() {
    let session = given::<SandboxSession>(&created());
    let events = session.when(confirm(RIGHT, 1_799)).events();
    assert_eq!(events[0].event_type().as_str(), "sandbox_session.confirmed");
    let confirmed = given::<SandboxSession>([created(), events].concat());
    confirmed.when(confirm(RIGHT, 9_999)).nothing();
    assert_eq!(refusal(confirmed.when(confirm("wrong", 0)).facts().iter().map(|fact| &fact.event)), Some(Rejection::InvalidProof));
}

#[test]
fn a_wrong_or_late_proof_leaves_a_trace_and_refuses() {
    let session = given::<SandboxSession>(&created());
    assert_eq!(refusal(session.when(confirm("wrong", 9_999)).facts().iter().map(|fact| &fact.event)), Some(Rejection::InvalidProof));
    assert_eq!(refusal(session.when(confirm(RIGHT, 1_800)).facts().iter().map(|fact| &fact.event)), Some(Rejection::ProofExpired));
    assert_eq!(refusal(session.when(confirm(RIGHT, 0)).facts().iter().map(|fact| &fact.event)), None);
    // A wrong guess closes nothing.
    let wrong = session.when(confirm("wrong", 0)).events();
    let again = given::<SandboxSession>([created(), wrong].concat());
    assert_eq!(again.when(confirm(RIGHT, 1)).events()[0].event_type().as_str(), "sandbox_session.confirmed");
}

#[test]
fn no_event_shows_the_proof() {
    let text = format!("{:?}", [created(), given::<SandboxSession>(&created()).when(confirm(RIGHT, 0)).events()]);
    assert!(!text.contains("secret"));
}

#[test]
fn a_session_expires_once_and_takes_no_proof_afterwards() {
    let session = given::<SandboxSession>(&created());
    session.when(Command::Expire { now: at(1_799) }).refused(Rejection::NotExpiredYet);
    let expired = session.when(Command::Expire { now: at(1_800) }).events();
    let over = given::<SandboxSession>([created(), expired].concat());
    over.when(Command::Expire { now: at(2_000) }).nothing();
    // By a clock that is behind, too: what is on record counts.
    let late = over.when(confirm(RIGHT, 0)).facts();
    assert_eq!(refusal(late.iter().map(|fact| &fact.event)), Some(Rejection::ProofExpired));
    let confirmed = session.when(confirm(RIGHT, 0)).events();
    given::<SandboxSession>([created(), confirmed].concat()).when(Command::Expire { now: at(9_999) }).refused(Rejection::Confirmed);
}

#[test]
fn a_candidate_proof_is_kept_while_the_session_lives_and_confirms_nothing() {
    let candidate = |seconds| {
        let payment_protocol = Some(PaymentProtocol::X402);
        Command::RecordProof(Box::new(Candidate {
            proof_id: id(80),
            payment_protocol,
            fingerprint: Hash32::of("signed"),
            now: at(seconds),
        }))
    };
    given::<SandboxSession>([]).when(candidate(0)).refused(Rejection::NotFound);
    let session = given::<SandboxSession>(&created());
    session.when(candidate(1_800)).refused(Rejection::ProofExpired);
    let recorded = payload!(session.when(candidate(1_799)).events()[0].clone(), SandboxProofRecorded);
    assert_eq!((recorded.sandbox_session_id, recorded.rail_id), (id(60), RailId::X402));
    let history = [created(), vec![recorded.into()]].concat();
    assert!(matches!(SandboxSession::fold(&history), SandboxSession::Pending(_)));
    let expired = [created(), session.when(Command::Expire { now: at(1_800) }).events()].concat();
    given::<SandboxSession>(&expired).when(candidate(0)).refused(Rejection::ProofExpired);
    let confirmed = [created(), session.when(confirm(RIGHT, 5)).events()].concat();
    assert_eq!(given::<SandboxSession>(&confirmed).when(candidate(6)).events().len(), 1);
}
