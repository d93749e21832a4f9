//! One payment's story, from any id it has, and one event laid open.

use events::{
    log::Log,
    proof::node_hash,
    vocab::{bytes::Hash32, stream::Category},
};
use hilt_tests::{
    db::Database,
    payments::{self, Paid, Shop},
};
use replay_tool::{Failure, Inspection, Trail};

async fn told(log: &Log, asked: impl ToString) -> Trail {
    replay_tool::trail(log.pool(), &asked.to_string()).await.unwrap()
}

/// The database goes with the value, so it is handed on.
async fn world() -> (Database, Log, Shop, Paid) {
    let database = Database::fresh().await;
    let log = database.log().await;
    let shop = payments::shop(&log, true).await;
    // Stories of others, which must not leak into this one.
    payments::paid(&log, &shop).await;
    let paid = payments::paid(&log, &shop).await;
    payments::session(&log, &shop).await;
    (database, log, shop, paid)
}

#[tokio::test]
async fn the_story_is_the_same_from_every_id_of_the_payment() {
    let (_database, log, _, paid) = world().await;
    let story = told(&log, paid.session.payment_id).await;
    let types: Vec<&str> = story.steps.iter().map(|step| step.event_type).collect();
    assert_eq!(
        types,
        [
            "payment_session.created",
            "payment.created",
            "payment_requirement.authored",
            "entitlement.pended",
            "payment.broadcast_recorded",
            "proof.fingerprinted",
            "verification.attempted",
            "verification.attempted",
            "settlement.evidenced",
            "receipt.created",
            "receipt.mapped",
            "payment.confirmed",
            "membership.activated",
            "entitlement.activated",
            "payment_session.confirmed",
        ]
    );
    let first_event = story.steps[6].event_id;
    let position = story.steps[0].position;
    for asked in [
        paid.session.session_id.to_string(),
        paid.session.entitlement_id.to_string(),
        paid.proof_id.to_string(),
        paid.receipt_id.to_string(),
        paid.membership_id.to_string(),
        paid.tx.to_string(),
        paid.session.correlation_id.to_string(),
        payments::stream(Category::Proof, paid.proof_id).to_string(),
        first_event.to_string(),
        position.to_string(),
    ] {
        assert_eq!(Trail { asked: story.asked.clone(), ..told(&log, &asked).await }, story, "{asked}");
    }
}

#[tokio::test]
async fn a_settled_payment_is_complete_and_shows_its_money_and_no_person() {
    let (_database, log, _, paid) = world().await;
    let story = told(&log, paid.tx).await;
    assert!(story.complete);
    let outcomes: Vec<&str> = story.attempts.iter().map(|attempt| attempt.outcome.as_str()).collect();
    assert_eq!(outcomes, ["pending", "passed"]);
    let text = story.to_string();
    for line in [
        "  money      25.000000 USDC = 24.750000 to the merchant + 0.250000 fee (100 bps, ",
        "  looks      2 at the chain, the last passed",
        "  yes  session created",
        "  yes  receipt mapped",
        "  yes  membership active",
        "  yes  session confirmed",
        "Complete: every stage is reached.",
    ] {
        assert!(text.contains(line), "{line:?} is not in\n{text}");
    }
    let json = serde_json::to_string(&story).unwrap();
    for secret in ["buyer@example.com", "customer-1"] {
        assert!(!text.contains(secret) && !json.contains(secret));
    }
}

#[tokio::test]
async fn an_unfinished_payment_says_what_is_missing_and_why() {
    let (_database, log, shop, _) = world().await;
    let open = payments::session(&log, &shop).await;
    let missing = |story: &Trail| {
        let stage = story.stages.iter().find(|stage| stage.position.is_none()).unwrap();
        (stage.name, stage.missing.clone().unwrap())
    };
    let story = told(&log, open.payment_id).await;
    assert!(!story.complete);
    assert_eq!(missing(&story), ("proof fingerprinted", "no transaction was announced".to_owned()));

    payments::prove(&log, &shop, &open).await;
    let story = told(&log, open.payment_id).await;
    assert_eq!(missing(&story), ("verified on chain", "look 1 at the chain: pending (not_finalized)".to_owned()));
    let waits = story.stages.iter().find(|stage| stage.name == "settled").unwrap();
    assert_eq!(waits.missing.as_deref(), Some("waits for: verified on chain"));
}

#[tokio::test]
async fn what_is_not_in_the_log_is_said_to_be_unknown() {
    let (_database, log, _, _) = world().await;
    let unknown = events::clock::new_id::<uuid::Uuid>().to_string();
    assert!(matches!(replay_tool::trail(log.pool(), &unknown).await, Err(Failure::NotFound(_))));
    assert!(matches!(replay_tool::trail(log.pool(), "hilt_ticket_none").await, Err(Failure::NotFound(_))));
    assert!(matches!(replay_tool::trail(log.pool(), "what?").await, Err(Failure::Input(_))));
    assert!(matches!(replay_tool::inspect(log.pool(), "999999").await, Err(Failure::NotFound(_))));
}

/// Climbs from the leaf to the root (RFC 9162 2.1.3.2).
fn climb(inspection: &Inspection) -> Hash32 {
    let (mut index, mut last, mut node) = (inspection.inclusion.index, inspection.inclusion.size - 1, inspection.leaf);
    for sibling in &inspection.inclusion.path {
        if index % 2 == 1 || index == last {
            node = node_hash(sibling, &node);
            while index % 2 == 0 && index != 0 {
                (index, last) = (index / 2, last / 2);
            }
        } else {
            node = node_hash(&node, sibling);
        }
        (index, last) = (index / 2, last / 2);
    }
    node
}

#[tokio::test]
async fn an_event_laid_open_proves_its_place() {
    let (_database, log, shop, paid) = world().await;
    payments::sign_checkpoint(&log).await;
    let signed = log.head().await.unwrap();
    payments::session(&log, &shop).await;
    let story = told(&log, paid.receipt_id).await;
    let step = story.steps.iter().find(|step| step.event_type == "receipt.created").unwrap();
    for asked in [step.position.to_string(), step.event_id.to_string()] {
        let opened = replay_tool::inspect(log.pool(), &asked).await.unwrap();
        assert!(opened.leaf_holds && opened.inclusion.signed);
        assert_eq!((opened.position, opened.event_type), (step.position, "receipt.created"));
        assert_eq!((opened.inclusion.size, opened.inclusion.root), (signed.next_position, signed.frontier.root()));
        assert_eq!(climb(&opened), opened.inclusion.root);
        let entry = [&[0], hex::decode(&opened.entry_hex).unwrap().as_slice()].concat();
        assert_eq!(Hash32::of(entry), opened.leaf);
        let json = serde_json::to_value(&opened).unwrap();
        assert_eq!(json["payload"]["receipt_id"], paid.receipt_id.to_string());
        assert!(opened.to_string().contains(&opened.entry_hex));
    }
    let last = log.head().await.unwrap().next_position - 1;
    let unsigned = replay_tool::inspect(log.pool(), &last.to_string()).await.unwrap();
    assert!(!unsigned.inclusion.signed);
    assert_eq!(climb(&unsigned), log.head().await.unwrap().frontier.root());
}
