//! Signatures of operators that no decider would have let through.

use events::{
    clock::new_id,
    vault::Signer,
    vocab::{
        bytes::Hash32,
        event::{
            ApprovalApproved, ApprovalRequested, ApprovalSubject, EventType, OperatorKeyRegistered, OperatorSignature, SignedDecision,
            SignedRequest, SubjectErasure,
        },
        id::{ApprovalId, EventId, OperatorId},
        stream::Category,
    },
};
use hilt_tests::{
    payments::{self, ORIGIN},
    tampering::{World, world},
};
use ledger::{
    approval::statement::{DecisionStatement, KeyStatement, RequestStatement},
    operator::kid,
};
use replay_tool::BreakClass;

/// An operator and his key.
struct Operator {
    name: &'static str,
    key: Signer,
    registered: EventId,
}

impl Operator {
    fn public(&self) -> Hash32 {
        Hash32(self.key.public().to_bytes())
    }

    /// Whose key the log knows.
    async fn of(world: &World, name: &'static str, seed: u8) -> Self {
        let mut operator = Operator { name, key: Signer::from_seed(&[seed; 32]), registered: new_id() };
        let (public_key, operator_id) = (operator.public(), OperatorId::of(name));
        let statement_json = KeyStatement::new(ORIGIN, name, public_key).canonical();
        let ed25519_sig = operator.key.sign(statement_json.as_bytes());
        let registered =
            OperatorKeyRegistered { operator_id, operator: name.into(), kid: kid(&public_key), public_key, statement_json, ed25519_sig };
        let stream = payments::stream(Category::Operator, operator_id);
        payments::force(&world.log, world.shop.owner_id, true, stream, registered).await;
        operator.registered = payments::first(&world.log, stream, EventType::OperatorKeyRegistered).await.0;
        operator
    }

    fn signs(&self, words: &str) -> OperatorSignature {
        OperatorSignature {
            operator: self.name.into(),
            kid: kid(&self.public()),
            public_key: self.public(),
            key_event: self.registered,
            ed25519_sig: self.key.sign(words.as_bytes()),
        }
    }
}

fn asked(by: &Operator) -> ApprovalRequested {
    let subject = ApprovalSubject::SubjectErasure(SubjectErasure { subject_id: new_id() });
    let mut requested = ApprovalRequested { approval_id: new_id(), subject, by: by.name.into(), reason: "asked".into(), signed: None };
    let statement_json = RequestStatement::of(ORIGIN, &requested).canonical();
    requested.signed = Some(SignedRequest { signature: by.signs(&statement_json), statement_json });
    requested
}

async fn force(world: &World, approval: ApprovalId, event: impl Into<events::vocab::event::Event>) -> u64 {
    payments::force(&world.log, world.shop.owner_id, true, payments::stream(Category::Approval, approval), event).await
}

/// That the second agrees to what `requested` says, which is asked for by `requested_event`.
fn agreed(requested: &ApprovalRequested, requested_event: EventId, second: &Operator) -> ApprovalApproved {
    let SignedRequest { statement_json: request_json, signature } = requested.signed.clone().unwrap();
    let decision = DecisionStatement::approval(ORIGIN, requested.approval_id, &request_json, second.name, "checked");
    let decision_json = decision.canonical();
    let decision = second.signs(&decision_json);
    let signed = SignedDecision { requested_event, request_json, request: Some(signature), decision_json, decision };
    ApprovalApproved { approval_id: requested.approval_id, by: second.name.into(), reason: "checked".into(), signed: Some(signed) }
}

/// Two operators, and what the first has asked for.
async fn scene() -> (World, Operator, Operator, ApprovalRequested, EventId) {
    let world = world().await;
    let (first, second) = (Operator::of(&world, "staff-1", 1).await, Operator::of(&world, "staff-2", 2).await);
    let requested = asked(&first);
    force(&world, requested.approval_id, requested.clone()).await;
    let stream = payments::stream(Category::Approval, requested.approval_id);
    let (event, _) = payments::first(&world.log, stream, EventType::ApprovalRequested).await;
    (world, first, second, requested, event)
}

#[tokio::test]
async fn what_two_operators_signed_holds_and_what_they_did_not_is_found() {
    let (world, _, second, requested, event) = scene().await;
    let mut forged = agreed(&requested, event, &second);
    force(&world, requested.approval_id, forged.clone()).await;
    world.verify().await.unwrap();
    forged.signed.as_mut().unwrap().request.as_mut().unwrap().ed25519_sig.0[5] ^= 1;
    let position = force(&world, requested.approval_id, forged).await;
    let found = world.broken().await;
    assert_eq!((found.class, found.position), (BreakClass::ApprovalSignatureInvalid, position), "{found}");
}

#[tokio::test]
async fn a_key_that_its_operator_never_registered_is_found() {
    let (world, ..) = scene().await;
    let stranger = Operator { name: "staff-3", key: Signer::from_seed(&[3; 32]), registered: new_id() };
    let requested = asked(&stranger);
    let position = force(&world, requested.approval_id, requested).await;
    let found = world.broken().await;
    assert_eq!((found.class, found.position), (BreakClass::ApprovalSignatureInvalid, position), "{found}");
}

#[tokio::test]
async fn a_key_of_another_operator_is_found() {
    let (world, first, ..) = scene().await;
    let borrowed = Operator { name: "staff-3", key: Signer::from_seed(&[1; 32]), registered: first.registered };
    let requested = asked(&borrowed);
    let position = force(&world, requested.approval_id, requested).await;
    let found = world.broken().await;
    assert_eq!((found.class, found.position), (BreakClass::ApprovalSignatureInvalid, position), "{found}");
}

#[tokio::test]
async fn a_decision_on_something_else_than_was_asked_for_is_found() {
    let (world, first, second, requested, event) = scene().await;
    let mut other = asked(&first);
    other.approval_id = requested.approval_id;
    let statement_json = RequestStatement::of(ORIGIN, &other).canonical();
    other.signed = Some(SignedRequest { signature: first.signs(&statement_json), statement_json });
    let position = force(&world, requested.approval_id, agreed(&other, event, &second)).await;
    let found = world.broken().await;
    assert_eq!((found.class, found.position), (BreakClass::ApprovalSignatureInvalid, position), "{found}");
}

#[tokio::test]
async fn a_registration_that_its_key_did_not_sign_is_found() {
    let (world, first, ..) = scene().await;
    let stream = payments::stream(Category::Operator, OperatorId::of("staff-3"));
    let registered = OperatorKeyRegistered {
        operator_id: OperatorId::of("staff-3"),
        operator: "staff-3".into(),
        kid: kid(&Hash32([4; 32])),
        public_key: Hash32([4; 32]),
        statement_json: KeyStatement::new(ORIGIN, "staff-3", Hash32([4; 32])).canonical(),
        ed25519_sig: first.key.sign(b"something else"),
    };
    let position = payments::force(&world.log, world.shop.owner_id, true, stream, registered).await;
    let found = world.broken().await;
    assert_eq!((found.class, found.position), (BreakClass::ApprovalSignatureInvalid, position), "{found}");
}
