//! RT-016, RT-017 and RT-018: broadcast, confirm with identity, and what breaks the rules of INV-65 to INV-69.

use super::scene::Scene;
use events::vocab::event::Event;
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_settles_with_the_proof_of_who_pays_and_uses_it_up() {
    let scene = Scene::start(&[]).await;
    let (on_sale, buyer) = (scene.sells(true).await, scene.buyer().await);
    let payment = scene.connect(&on_sale, &buyer).await;
    let tx = scene.pay(&buyer, &payment).await;

    let broadcast = json!({
        "payment_id": payment["payment_id"], "tx_signature": tx.to_string(), "payer_wallet": buyer.address().to_string(),
        "wallet_source": "EXTERNAL_PHANTOM",
    });
    let recorded = scene.public("/v1/pay/broadcast", broadcast.clone()).await.ok();
    let expected = json!({ "payment_id": payment["payment_id"], "status": "PENDING_CONFIRMATION", "tx_signature": tx.to_string() });
    assert_eq!(recorded, expected, "AC-23");
    assert_eq!(scene.public("/v1/pay/broadcast", broadcast).await.ok(), expected, "the same again");

    // Paid, and nobody has said who pays: not even the watcher settles it.
    scene.confirm(&on_sale, &payment, tx, &buyer, None).await.refused(422, "identity_verification_required");
    waits_for_identity(&scene, &payment).await;

    let session = scene.verified(&on_sale, &buyer, "728255790").await;
    let settled = scene.confirm(&on_sale, &payment, tx, &buyer, Some(&session)).await.ok();
    assert_eq!((&settled["status"], &settled["amount_lamports"]), (&json!("confirmed"), &json!(29_000_000)), "AC-24");
    assert_eq!(settled["membership_status"], json!("ACTIVE"));
    assert_eq!(scene.confirm(&on_sale, &payment, tx, &buyer, Some(&session)).await.ok()["receipt_id"], settled["receipt_id"]);

    let events = scene.events().await;
    let consumed: Vec<_> = events.iter().filter(|event| matches!(event, Event::IdentitySessionConsumed(_))).collect();
    assert_eq!(consumed.len(), 1);
    let member = events.iter().find_map(|event| match event {
        Event::MembershipActivated(member) => Some(member.subject_id),
        _ => None,
    });
    let identity = scene.app.state.vault.find_subject(scene.app.owner, &[("TELEGRAM_USER_ID", "728255790")]).await.unwrap();
    assert_eq!(member, identity, "the member is who was proved");

    // INV-69: the public view says nothing of wallets, identities or what was delivered.
    let public = scene.payment(&payment).await;
    let keys: Vec<&str> = public.as_object().unwrap().keys().map(String::as_str).collect();
    let safe =
        ["id", "product_id", "status", "tx_signature", "confirmed_at", "failed_at", "failure_reason", "delivery_status", "membership_id"];
    assert!(keys.iter().all(|key| safe.contains(key)), "{keys:?}");
    let text = public.to_string();
    assert!(!text.contains("728255790") && !text.contains(&buyer.address().to_string()) && !text.contains("privateinvite"));

    // A second payment of the same wallet needs a proof of its own.
    let second = scene.connect(&on_sale, &buyer).await;
    let second_tx = scene.pay(&buyer, &second).await;
    scene.confirm(&on_sale, &second, second_tx, &buyer, Some(&session)).await.refused(409, "identity_session_consumed");
    waits_for_identity(&scene, &second).await;
    scene.verified(&on_sale, &buyer, "728255790").await;
    // Nobody confirms: the watcher finds the proof by itself.
    scene.until_status(&second, "CONFIRMED").await;
    assert_eq!(scene.count(|event| matches!(event, Event::MembershipRenewed(_))).await, 1, "the same person's membership goes on");
    scene.app.close().await;
}

/// The payment is linked to its transaction, and its last look says what it waits for.
async fn waits_for_identity(scene: &Scene, payment: &Value) {
    scene.until_status(payment, "PENDING_CONFIRMATION").await;
    let id = payment["payment_id"].as_str().unwrap().to_owned();
    let deadline = std::time::Instant::now() + hilt_tests::app::SOON;
    let waits = |event: &Event| match event {
        Event::PaymentConfirmationAttempted(look) => {
            look.payment_id.to_string() == id && look.reason.as_deref() == Some("identity_verification_required")
        }
        _ => false,
    };
    while scene.count(waits).await == 0 {
        assert!(std::time::Instant::now() < deadline, "nobody saw that the identity is missing");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_other_wallets_identitys_or_products_proof_will_do() {
    let scene = Scene::start(&[]).await;
    let (on_sale, other_product) = (scene.sells(true).await, scene.sells(true).await);
    let (buyer, other) = (scene.buyer().await, scene.buyer().await);
    let path = format!("/v1/products/p/{}/connect", on_sale.slug);
    let body = json!({
        "payer_wallet": buyer.address().to_string(), "customer_reference_type": "TELEGRAM_USER_ID", "customer_reference_value": "1001",
    });
    let payment = scene.public(&path, body).await.ok();
    let tx = scene.pay(&buyer, &payment).await;
    let confirm = |session: String| {
        let (scene, on_sale, payment, buyer) = (&scene, &on_sale, &payment, &buyer);
        async move { scene.confirm(on_sale, payment, tx, buyer, Some(&session)).await }
    };

    let unsigned = scene.start_identity(&on_sale, &buyer, "1001").await;
    confirm(unsigned["session_id"].as_str().unwrap().to_owned()).await.refused(422, "identity_verification_required");
    confirm("f0f4e620-1ca3-4fc8-b0ba-2d04342fe467".into()).await.refused(422, "identity_verification_required");
    confirm(scene.verified(&on_sale, &other, "1001").await).await.refused(422, "wallet_mismatch");
    confirm(scene.verified(&other_product, &buyer, "1001").await).await.refused(422, "identity_verification_required");
    confirm(scene.verified(&on_sale, &buyer, "2002").await).await.refused(422, "identity_verification_required");
    let good = scene.verified(&on_sale, &buyer, "1001").await;
    let lie = json!({
        "payment_id": payment["payment_id"], "slug": on_sale.slug, "tx_signature": tx.to_string(), "payer_wallet": buyer.address().to_string(),
        "identity_session_id": good, "customer_reference_type": "TELEGRAM_USER_ID", "customer_reference_value": "2002",
    });
    let told = scene.public("/v1/pay/confirm", lie).await;
    // The watcher may have settled it meanwhile with the good proof; the claim is refused until then.
    if !told.status.is_success() {
        told.refused(422, "identity_verification_required");
    }
    scene.until_status(&payment, "CONFIRMED").await;
    let used = scene.events().await.into_iter().find_map(|event| match event {
        Event::IdentitySessionConsumed(used) => Some(used.session_id.to_string()),
        _ => None,
    });
    assert_eq!(used, Some(good), "of all proofs only the one that fits was used");
    scene.app.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_sets_no_status_and_one_payment_has_one_transaction() {
    let scene = Scene::start(&[]).await;
    let (on_sale, buyer, other) = (scene.sells(false).await, scene.buyer().await, scene.buyer().await);
    let payment = scene.connect(&on_sale, &buyer).await;
    let nothing = events::vocab::bytes::TxSignature([9; 64]);

    // INV-65: a transaction that the chain does not know confirms nothing, however often it is claimed.
    for _ in 0..3 {
        scene.confirm(&on_sale, &payment, nothing, &buyer, None).await.refused(408, "tx_not_confirmed");
    }
    assert_ne!(scene.payment(&payment).await["status"], json!("CONFIRMED"));
    let wrong = json!({ "payment_id": payment["payment_id"], "slug": "elsewhere", "tx_signature": nothing.to_string() });
    scene.public("/v1/pay/confirm", wrong).await.refused(422, "slug_mismatch");
    // INV-66: another wallet.
    scene.confirm(&on_sale, &payment, nothing, &other, None).await.refused(422, "payer_wallet_mismatch");

    // INV-67: one payment, one transaction, either way round.
    let tx = scene.pay(&buyer, &payment).await;
    let announce =
        |payment: &Value, tx: String| scene.public("/v1/pay/broadcast", json!({ "payment_id": payment["payment_id"], "tx_signature": tx }));
    scene.confirm(&on_sale, &payment, tx, &buyer, None).await.ok();
    announce(&payment, nothing.to_string()).await.refused(409, "tx_conflict");
    let second = scene.connect(&on_sale, &buyer).await;
    announce(&second, tx.to_string()).await.refused(409, "tx_conflict");
    scene.confirm(&on_sale, &second, tx, &buyer, None).await;
    assert_ne!(scene.payment(&second).await["status"], json!("CONFIRMED"));
    assert_eq!(scene.count(|event| matches!(event, Event::PaymentConfirmed(_))).await, 1);
    scene.app.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_over_stays_over_and_what_was_announced_in_time_still_counts() {
    let scene = Scene::start(&[]).await;
    let (on_sale, buyer) = (scene.sells(false).await, scene.buyer().await);
    let (late, announced) = (scene.connect(&on_sale, &buyer).await, scene.connect(&on_sale, &buyer).await);
    let nothing = events::vocab::bytes::TxSignature([3; 64]);
    let tx = scene.send(&buyer, &announced).await;
    scene.public("/v1/pay/broadcast", json!({ "payment_id": announced["payment_id"], "tx_signature": tx.to_string() })).await.ok();

    scene.app.clock.advance_seconds(31 * 60);
    let before = scene.count(|event| matches!(event, Event::PaymentBroadcastRecorded(_))).await;
    scene.confirm(&on_sale, &late, nothing, &buyer, None).await.refused(410, "payment_expired");
    let announce = json!({ "payment_id": late["payment_id"], "tx_signature": nothing.to_string() });
    scene.public("/v1/pay/broadcast", announce).await.refused(410, "payment_expired");
    assert_eq!(scene.count(|event| matches!(event, Event::PaymentBroadcastRecorded(_))).await, before, "INV-68: no transition");
    scene.chain.wait_finalized(&tx).await;
    scene.confirm(&on_sale, &announced, tx, &buyer, None).await.ok();
    scene.app.close().await;
}
