use super::samples::*;
use crate::{
    approval::{
        self, Approval, Signing,
        statement::{self, KeyStatement},
    },
    operator::{self, Command, Operator, Rejection},
    platform::Said,
    spec::given,
};
use ed25519_dalek::{Signer as _, SigningKey};
use events::{
    decider::Decider as _,
    vocab::{
        bytes::{Hash32, Signature64},
        event::*,
        rail::RailId,
    },
};

const LOG: &str = "log.example/hilt";

fn key(n: u8) -> SigningKey {
    SigningKey::from_bytes(&[n; 32])
}

fn public(key: &SigningKey) -> Hash32 {
    Hash32(key.verifying_key().to_bytes())
}

fn sign(key: &SigningKey, words: &str) -> Signature64 {
    Signature64(key.sign(words.as_bytes()).to_bytes())
}

fn register(operator: &str, key: &SigningKey) -> Command {
    let signature = sign(key, &KeyStatement::new(LOG, operator, public(key)).canonical());
    Command::Register { operator: operator.into(), log: LOG.into(), public_key: public(key), signature }
}

fn retire(reason: &str) -> Command {
    Command::Retire { operator: "staff-1".into(), reason: reason.into() }
}

#[test]
fn an_operator_shows_that_the_key_is_his_and_has_one_at_a_time() {
    let nobody = given::<Operator>([]);
    let first = nobody.when(register("staff-1", &key(1))).events();
    let registered = payload!(first[0].clone(), OperatorKeyRegistered);
    assert_eq!(operator::check(&registered), Ok(()));
    assert_eq!(registered.kid, operator::kid(&public(&key(1))));

    let Command::Register { log, public_key, signature, .. } = register("staff-1", &key(1)) else { unreachable!() };
    let other =
        |operator: &str, log: &str, public_key| Command::Register { operator: operator.into(), log: log.into(), public_key, signature };
    nobody.when(other("Mr. Smith", &log, public_key)).refused(Rejection::OperatorInvalid);
    for command in [other("staff-2", &log, public_key), other("staff-1", "another", public_key), other("staff-1", &log, public(&key(2)))] {
        nobody.when(command).refused(Rejection::SignatureInvalid);
    }
    // The neutral point: every message would have a signature by it.
    let mut weak = [0; 32];
    weak[0] = 1;
    nobody.when(other("staff-1", &log, Hash32(weak))).refused(Rejection::KeyInvalid);

    let active = given::<Operator>(&first);
    active.when(register("staff-1", &key(1))).nothing();
    active.when(register("staff-1", &key(2))).refused(Rejection::KeyActive);
    nobody.when(retire("lost")).refused(Rejection::KeyRequired);
    for words in ["", "left it on the train"] {
        active.when(retire(words)).refused(Rejection::ReasonRequired);
    }
    let retired = [first.clone(), active.when(retire("lost")).events()].concat();
    given::<Operator>(&retired).when(register("staff-1", &key(1))).refused(Rejection::KeyRetired);
    let second = given::<Operator>(&retired).when(register("staff-1", &key(2))).events();
    assert_eq!(payload!(second[0].clone(), OperatorKeyRegistered).public_key, public(&key(2)));
}

#[test]
fn a_registration_that_was_altered_is_not_what_the_key_signed() {
    let made = given::<Operator>([]).when(register("staff-1", &key(1))).events();
    let registered = payload!(made[0].clone(), OperatorKeyRegistered);
    let altered = |change: fn(&mut OperatorKeyRegistered)| {
        let mut altered = registered.clone();
        change(&mut altered);
        operator::check(&altered)
    };
    assert!(altered(|it| it.operator = "staff-2".into()).is_err());
    assert!(altered(|it| it.kid = "0".repeat(16)).is_err());
    assert!(altered(|it| it.public_key.0[0] ^= 1).is_err());
    assert!(altered(|it| it.ed25519_sig.0[9] ^= 1).is_err());
    assert!(altered(|it| it.statement_json.push(' ')).is_err());
    assert!(altered(|it| it.operator_id = id(4)).is_err());
}

/// The operator of that name, who has key `n` if there is one, and what he signed.
fn signing(name: &str, n: Option<u8>, required: bool, signature: Option<Signature64>) -> Box<Signing> {
    let events = n.map(|n| given::<Operator>([]).when(register(name, &key(n))).events()).unwrap_or_default();
    let key_event = n.map(|n| id(100 + u128::from(n)));
    Box::new(Signing { log: LOG.into(), key_event, operator: Operator::fold(&events), required, signature })
}

fn subject() -> ApprovalSubject {
    let wallet = wallet(9).to_string();
    ApprovalSubject::HiltTreasuryWalletChange(TreasuryWalletChange { treasury_id: id(70), rail_id: RailId::SolanaUsdc, wallet })
}

fn said(by: &str) -> Said {
    Said { by: by.into(), reason: "key_ceremony".into() }
}

fn ask(subject: ApprovalSubject, signing: Box<Signing>) -> approval::Command {
    approval::Command::Request { approval_id: id(51), subject: Box::new(subject), said: said("staff-1"), signing }
}

fn approve(signing: Box<Signing>) -> approval::Command {
    approval::Command::Approve { said: said("staff-2"), requested_event: id(59), signing }
}

/// What staff-1 asks for, as he signs it.
fn asked(subject: ApprovalSubject) -> String {
    let requested = ApprovalRequested { approval_id: id(51), subject, by: "staff-1".into(), reason: "key_ceremony".into(), signed: None };
    Approval::request_statement(LOG, &requested)
}

fn both(subject: &ApprovalSubject) -> (Vec<Event>, ApprovalApproved) {
    let request = signing("staff-1", Some(1), true, Some(sign(&key(1), &asked(subject.clone()))));
    let pending = given::<Approval>([]).when(ask(subject.clone(), request)).events();
    let (_, decision) = Approval::fold(&pending).decision_statement(LOG, "staff-2", "key_ceremony").unwrap();
    let agreed = given::<Approval>(&pending).when(approve(signing("staff-2", Some(2), true, Some(sign(&key(2), &decision))))).events();
    let approved = payload!(agreed[0].clone(), ApprovalApproved);
    (pending, approved)
}

#[test]
fn the_event_of_an_agreement_holds_both_signatures() {
    for subject in [subject(), ApprovalSubject::SubjectErasure(SubjectErasure { subject_id: id(7) })] {
        let (pending, approved) = both(&subject);
        let requested = payload!(pending[0].clone(), ApprovalRequested);
        assert_eq!((statement::check_requested(&requested), statement::check_approved(&approved)), (Ok(()), Ok(())));
        let signed = approved.signed.clone().unwrap();
        assert_eq!(signed.request_json, requested.signed.clone().unwrap().statement_json);
        assert_eq!(signed.request.as_ref().unwrap().public_key, public(&key(1)));
        assert_eq!((signed.decision.public_key, signed.decision.key_event), (public(&key(2)), id(102)));
        assert_eq!(statement::digest_of_decision(&signed), Some(statement::digest_of_request(&requested)));
        assert_eq!(statement::form_of(&signed.request_json), Some(statement::REQUEST_FORM));
        assert_eq!(statement::form_of(&signed.decision_json), Some(statement::DECISION_FORM));
        assert_eq!(statement::form_of(&signed.decision_json.replace("approved", "rejected")), None);
        assert_eq!(statement::form_of(&format!(" {}", signed.request_json)), None, "not canonical");
    }
}

#[test]
fn who_has_a_key_signs_this_very_statement_and_who_has_none_signs_only_where_all_must() {
    use approval::Rejection;
    let nothing = given::<Approval>([]);
    let words = asked(subject());
    nothing.when(ask(subject(), signing("staff-1", Some(1), false, None))).refused(Rejection::SignatureRequired);
    nothing.when(ask(subject(), signing("staff-1", None, true, None))).refused(Rejection::KeyRequired);
    let by_nobodys_key = signing("staff-1", None, false, Some(sign(&key(1), &words)));
    nothing.when(ask(subject(), by_nobodys_key)).refused(Rejection::KeyRequired);
    let by_another = signing("staff-1", Some(1), false, Some(sign(&key(2), &words)));
    nothing.when(ask(subject(), by_another)).refused(Rejection::SignatureInvalid);
    let of_another = sign(&key(1), &asked(ApprovalSubject::SubjectErasure(SubjectErasure { subject_id: id(7) })));
    nothing.when(ask(subject(), signing("staff-1", Some(1), false, Some(of_another)))).refused(Rejection::SignatureInvalid);
    let for_another_log = words.replace(LOG, "log.example/other");
    let for_another_log = signing("staff-1", Some(1), false, Some(sign(&key(1), &for_another_log)));
    nothing.when(ask(subject(), for_another_log)).refused(Rejection::SignatureInvalid);

    // Who had a key once cannot go back to signing nothing.
    let mut once = signing("staff-1", Some(1), false, None);
    once.operator = Operator { active: None, retired: vec![public(&key(1))] };
    nothing.when(ask(subject(), once)).refused(Rejection::KeyRequired);

    // Unsigned as before, where nobody has a key; and the second's signature binds what was asked for all the same.
    let pending = nothing.when(ask(subject(), signing("staff-1", None, false, None))).events();
    let unsigned = given::<Approval>(&pending).when(approve(signing("staff-2", None, false, None))).events();
    assert_eq!(payload!(unsigned[0].clone(), ApprovalApproved).signed, None);
    let (request, decision) = Approval::fold(&pending).decision_statement(LOG, "staff-2", "key_ceremony").unwrap();
    assert_eq!(request, words);
    // The signature of the request does not pass for one of the decision.
    let reused = signing("staff-2", Some(2), false, Some(sign(&key(2), &request)));
    given::<Approval>(&pending).when(approve(reused)).refused(Rejection::SignatureInvalid);
    let second = signing("staff-2", Some(2), false, Some(sign(&key(2), &decision)));
    let approved = payload!(given::<Approval>(&pending).when(approve(second)).events()[0].clone(), ApprovalApproved);
    assert_eq!((statement::check_approved(&approved), approved.signed.unwrap().request), (Ok(()), None));
}

#[test]
fn an_erasure_is_asked_for_and_agreed_to_in_codes() {
    let subject = || ApprovalSubject::SubjectErasure(SubjectErasure { subject_id: id(7) });
    let words = |reason: &str| approval::Command::Request {
        approval_id: id(51),
        subject: Box::new(subject()),
        said: Said { by: "staff-1".into(), reason: reason.into() },
        signing: signing("staff-1", None, false, None),
    };
    given::<Approval>([]).when(words("Ada Lovelace asked")).refused(approval::Rejection::ReasonNotACode);
    let pending = given::<Approval>([]).when(words("gdpr_request")).events();
    let personal = Said { by: "staff-2".into(), reason: "Ada is right".into() };
    let approve =
        approval::Command::Approve { said: personal.clone(), requested_event: id(59), signing: signing("staff-2", None, false, None) };
    given::<Approval>(&pending).when(approve).refused(approval::Rejection::ReasonNotACode);
    given::<Approval>(&pending).when(approval::Command::Reject(personal)).refused(approval::Rejection::ReasonNotACode);
}

#[test]
fn an_approval_that_was_altered_is_not_what_they_signed() {
    let (pending, approved) = both(&subject());
    let altered = |change: fn(&mut ApprovalApproved, &mut SignedDecision)| {
        let (mut altered, mut signed) = (approved.clone(), approved.signed.clone().unwrap());
        change(&mut altered, &mut signed);
        altered.signed = Some(signed);
        statement::check_approved(&altered)
    };
    assert_eq!(altered(|_, _| {}), Ok(()));
    assert!(altered(|it, _| it.by = "staff-3".into()).is_err());
    assert!(altered(|it, _| it.reason = "other".into()).is_err());
    assert!(altered(|it, _| it.approval_id = id(52)).is_err());
    assert!(altered(|_, signed| signed.request_json = signed.request_json.replace("solana_usdc", "base_usdc")).is_err());
    assert!(altered(|_, signed| signed.decision_json = signed.decision_json.replace("approved", "rejected")).is_err());
    assert!(altered(|_, signed| signed.decision.ed25519_sig.0[3] ^= 1).is_err());
    assert!(altered(|_, signed| signed.request.as_mut().unwrap().ed25519_sig.0[3] ^= 1).is_err());
    assert!(altered(|_, signed| signed.request.as_mut().unwrap().operator = "staff-2".into()).is_err());
    assert!(altered(|_, signed| signed.request = Some(signed.decision.clone())).is_err());
    assert!(altered(|_, signed| signed.decision.kid = "0".repeat(16)).is_err());

    let requested = payload!(pending[0].clone(), ApprovalRequested);
    let mut moved = requested.clone();
    moved.subject = ApprovalSubject::SubjectErasure(SubjectErasure { subject_id: id(7) });
    assert!(statement::check_requested(&moved).is_err(), "another subject than was signed");
    let mut forged = requested;
    forged.signed.as_mut().unwrap().signature.ed25519_sig.0[0] ^= 1;
    assert!(statement::check_requested(&forged).is_err());
}
