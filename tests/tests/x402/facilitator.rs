//! The facilitator: what it refuses and why, what it settles, and that it does so once (INV-5, 8, 10, 13, 63; OBJ-25).

use crate::{
    scene::{Scene, accepts},
    shop,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use events::vocab::bytes::SolanaAddress;
use hilt_tests::solana_tx::{self, AccountMeta, Instruction, Keypair, Message, Version, ata};
use rails::solana::programs::USDC_MINT;
use reqwest::Method;
use serde_json::{Value, json};
use std::time::Duration;

#[tokio::test(flavor = "multi_thread")]
async fn it_says_what_it_supports() {
    let scene = Scene::open().await;
    let supported = scene.app.get_public("/v1/x402/supported").await.ok();
    let extra = json!({"feePayer": scene.fee_payer.to_string()});
    let network = "solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp";
    assert_eq!(
        supported,
        json!({
            "kinds": [
                {"x402Version": 2, "scheme": "exact", "network": network, "extra": extra},
                {"x402Version": 1, "scheme": "exact", "network": "solana", "extra": extra},
            ],
            "extensions": [],
            "signers": {network: [scene.fee_payer.to_string()]},
        })
    );
    scene.app.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_is_verified_settled_and_opens_access_once() {
    let scene = Scene::open().await;
    let session = scene.session("cust_1").await;
    let request = scene.request(&session, &scene.signed(&scene.instructions(&session)).await);
    let buyer = scene.buyer.address().to_string();
    assert_eq!(scene.verify(&request).await, json!({"isValid": true, "payer": buyer}));
    assert_eq!(scene.shop.check(&scene.app, "cust_1").await["reason"], json!("payment_pending"), "verifying opens nothing");

    let calls = (0..12).map(|_| scene.settle(&request));
    let answers = futures::future::join_all(calls).await;
    let settled = &answers[0];
    assert_eq!(
        (&settled["success"], &settled["payer"], &settled["amount"]),
        (&json!(true), &json!(buyer), &json!("25000000")),
        "{settled}"
    );
    assert!(answers.iter().all(|answer| answer == settled), "settling again answers with the same transaction: {answers:#?}");
    let paid = scene.shop.check(&scene.app, "cust_1").await;
    assert_eq!((&paid["has_access"], &paid["receipt_id"]), (&json!(true), &settled["extra"]["receipt_id"]), "{paid}");
    let by_protocol = json!({"external_product_id": scene.shop.product, "external_customer_id": "cust_1", "rail": "x402"});
    let by_protocol = scene.app.post(&scene.app.live_key, "/v1/access/entitlements/check", by_protocol).await.ok();
    assert_eq!(by_protocol["has_access"], json!(true), "DIS-31");

    let again = scene.verify(&request).await;
    assert_eq!((&again["isValid"], &again["invalidReason"]), (&json!(false), &json!("duplicate_settlement")), "a resource is served once");
    let merchant: SolanaAddress = accepts(&session)["payTo"].as_str().unwrap().parse().unwrap();
    assert_eq!(scene.chain.tokens(&merchant, &USDC_MINT).await, 25_000_000, "Q-18: everything went to the merchant");
    let due = shop::events_of_type(&scene.app, "fee.due").await;
    assert_eq!((due.len(), &due[0]["data"]["amount"]), (1, &json!(250_000)), "OBJ-25: once, after the settlement: {due:#?}");
    fees_are_listed(&scene, &due[0]).await;
    let path = format!("/v1/access/payment-sessions/{}", session["id"].as_str().unwrap());
    let shown = scene.app.get(&scene.app.live_key, &path).await.ok();
    assert_eq!(shown["payment_session"]["payment_requirement"]["fee_collection"]["status"], json!("due"));
    let receipt = scene.app.get(&scene.app.live_key, &format!("/v1/receipt/{}", paid["receipt_id"].as_str().unwrap())).await.ok();
    assert_eq!(receipt["receipt_json"]["transaction"]["tx_sig"], settled["transaction"]);
    scene.app.close().await;
}

/// To whoever owes them, and to staff; to nobody else.
async fn fees_are_listed(scene: &Scene, due: &Value) {
    let app = &scene.app;
    let own = app.get(&app.live_key, "/v1/access/fees").await.ok();
    let fee = &own["fees"][0];
    assert_eq!((&own["count"], &fee["amount_minor_units"], &fee["status"]), (&json!(1), &json!(250_000), &json!("due")));
    assert_eq!((&fee["payment_id"], &fee["tx_signature"]), (&due["data"]["payment_id"], &due["data"]["tx_signature"]));
    let total = json!({"asset_symbol": "USDC", "asset_decimals": 6, "token_mint": USDC_MINT.to_string(), "amount_minor_units": 250_000, "count": 1});
    assert_eq!(own["totals"], json!([total]));
    let stranger = app.key(events::clock::new_id(), true, events::vocab::words::Scope::ALL).await;
    let theirs = app.get(&stranger, "/v1/access/fees").await.ok();
    assert_eq!((&theirs["count"], &theirs["totals"]), (&json!(0), &json!([])));
    app.get(&app.sandbox_key, "/v1/access/fees").await.refused(403, "live_key_required");
    let staff = app.token(api::http::jwt::Role::Staff, None).await;
    let all = |path: &'static str| app.send(app.request(Method::GET, path).bearer_auth(&staff));
    assert_eq!(all("/v1/admin/access/fees").await.ok()["fees"], own["fees"]);
    assert_eq!(all("/v1/admin/access/fees?owner_id=00000000-0000-7000-8000-000000000000").await.ok()["count"], json!(0));
    all("/v1/admin/access/fees?owner_id=me").await.refused(422, "validation_failed");
}

/// INV-32: after an x402 payment the log holds what it holds after any payment, and the fee that the buyer did not send.
#[tokio::test(flavor = "multi_thread")]
async fn what_follows_is_what_follows_any_payment() {
    let scene = Scene::open().await;
    let session = scene.session("cust_1").await;
    let request = scene.request_v1(&session, &scene.signed(&scene.instructions(&session)).await);
    assert_eq!(scene.settle(&request).await["network"], json!("solana"), "in version 1's words");
    let plain = scene.shop.session(&scene.app, "cust_2").await;
    let requirement = &plain["payment_session"]["payment_requirement"];
    scene.chain.airdrop(&scene.buyer.address()).await;
    let pay = hilt_tests::chain::PayRequest::usdc(&scene.buyer, &shop::legs(requirement), shop::memo(requirement));
    let tx = scene.chain.pay(pay).await;
    scene.chain.wait_finalized(&tx).await;
    let confirm = json!({"payment_id": plain["payment_session"]["payment_id"], "tx_signature": tx.to_string()});
    scene.app.send(scene.app.request(Method::POST, "/v1/pay/confirm").json(&confirm)).await.ok();
    let token = scene.app.token(api::http::jwt::Role::Auditor, None).await;
    let page = scene.app.request(Method::GET, "/v1/admin/access/audit-events?limit=100").bearer_auth(token);
    let page = scene.app.send(page).await.ok();
    let story = |correlation: &Value| -> Vec<String> {
        let items = page["items"].as_array().unwrap().iter().filter(|item| item["correlation_id"] == *correlation);
        items.map(|item| item["event_type"].as_str().unwrap().to_owned()).filter(|name| !name.starts_with("webhook")).collect()
    };
    let created = shop::events_of_type(&scene.app, "payment_session.created").await;
    let (x402, plain) = (story(&created[0]["correlation_id"]), story(&created[1]["correlation_id"]));
    let without = |story: &[String]| {
        // Who looks first differs, and is not the outcome.
        let looks = ["payment.broadcast_recorded", "payment.confirmation_attempted", "fee.due"];
        let mut kept: Vec<_> = story.iter().filter(|name| !looks.contains(&name.as_str())).cloned().collect();
        kept.dedup();
        kept
    };
    assert_eq!(without(&x402), without(&plain), "INV-32");
    assert!(x402.contains(&"fee.due".to_owned()) && !plain.contains(&"fee.due".to_owned()));
    let balance = scene.app.get(&scene.app.live_key, "/v1/journal/trial-balance").await.ok();
    let lines: Vec<_> = balance["lines"]
        .as_array()
        .unwrap()
        .iter()
        .map(|line| [&line["account"], &line["debit_minor_units"], &line["credit_minor_units"]])
        .collect();
    let expected =
        json!([["buyer", "50000000", "0"], ["merchant", "0", "49750000"], ["fee", "0", "500000"], ["receivable", "250000", "0"]]);
    assert_eq!((&balance["balanced"], &json!(lines)), (&json!(true), &expected), "one fee was sent, one is owed");
    let auditor = scene.app.token(api::http::jwt::Role::Auditor, None).await;
    let all = scene.app.request(Method::GET, "/v1/admin/access/journal/trial-balance").bearer_auth(auditor);
    assert_eq!(scene.app.send(all).await.ok(), balance, "there is one owner");
    let other = scene.app.key(events::clock::new_id(), true, events::vocab::words::Scope::ALL).await;
    assert_eq!(scene.app.get(&other, "/v1/journal/trial-balance").await.ok()["lines"], json!([]), "another owner sees nothing of it");
    scene.app.close().await;
}

/// A payment altered in one place, and the reason that must be given for it.
type Altered = (&'static str, Value);

#[tokio::test(flavor = "multi_thread")]
async fn every_tampered_payment_is_refused_with_its_own_reason() {
    let scene = Scene::open().await;
    let session = scene.session("cust_1").await;
    let right = scene.instructions(&session);
    let mint = scene.chain.create_mint().await;
    scene.chain.fund_token(&scene.buyer.address(), &mint, 100_000_000).await;
    let mut cases: Vec<Altered> = Vec::new();
    for (reason, instructions) in altered_instructions(&scene, &right, mint) {
        cases.push((reason, scene.request(&session, &scene.signed(&instructions).await)));
    }
    cases.extend(altered_envelopes(&scene, &session, &right).await);
    for (reason, request) in cases {
        for route in ["verify", "settle"] {
            let answer = scene.facilitator(route, &request).await;
            let told = answer["invalidReason"].as_str().or(answer["errorReason"].as_str());
            assert_eq!(told, Some(reason), "{route}: {answer}");
            assert!(answer["isValid"] == json!(false) || (answer["success"] == json!(false) && answer["transaction"] == json!("")));
        }
    }
    assert!(shop::events_of_type(&scene.app, "proof.fingerprinted").await.is_empty(), "nothing of it is recorded");
    let good = scene.request(&session, &scene.signed(&right).await);
    assert_eq!(scene.settle(&good).await["success"], json!(true), "the right one is taken all the same");
    scene.app.close().await;
}

fn altered_instructions(scene: &Scene, right: &[Instruction], mint: SolanaAddress) -> Vec<(&'static str, Vec<Instruction>)> {
    let from = scene.buyer.address();
    let with = |change: &dyn Fn(&mut Vec<Instruction>)| {
        let mut altered = right.to_vec();
        change(&mut altered);
        altered
    };
    let amount = |delta: i64| {
        with(&|all| {
            let units = 25_000_000_i64 + delta;
            all[2].data[1..9].copy_from_slice(&(units as u64).to_le_bytes());
        })
    };
    let other = Keypair::generate().address();
    let fee_payer = |signer| AccountMeta { address: scene.fee_payer, signer, writable: signer };
    vec![
        ("invalid_exact_svm_payload_amount_mismatch", amount(-1)),
        ("invalid_exact_svm_payload_amount_mismatch", amount(1)),
        ("invalid_exact_svm_payload_recipient_mismatch", with(&|all| all[2].accounts[2].address = ata(&other, &USDC_MINT))),
        (
            "invalid_exact_svm_payload_mint_mismatch",
            with(&|all| all[2] = solana_tx::transfer_checked(ata(&from, &mint), mint, ata(&other, &mint), from, 25_000_000, 6)),
        ),
        ("invalid_exact_svm_payload_no_transfer_instruction", with(&|all| all[2] = solana_tx::transfer_plain(other, other, from, 1))),
        ("invalid_exact_svm_payload_unknown_fifth_instruction", with(&|all| all.push(solana_tx::transfer_sol(from, other, 1)))),
        ("invalid_exact_svm_payload_transaction_fee_payer_transferring_funds", with(&|all| all[3].accounts.push(fee_payer(false)))),
        (
            "invalid_exact_svm_payload_transaction_fee_payer_transferring_funds",
            with(&|all| all.push(solana_tx::transfer_sol(scene.fee_payer, other, 1_000_000))),
        ),
        (
            "invalid_exact_svm_payload_memo_count",
            with(&|all| all[3] = Instruction { program: LIGHTHOUSE.parse().unwrap(), ..all[3].clone() }),
        ),
        ("invalid_exact_svm_payload_memo_count", with(&|all| all.push(solana_tx::memo("another")))),
        ("invalid_exact_svm_payload_memo_mismatch", with(&|all| all[3] = solana_tx::memo("HILT:00000000000000000000000000000000"))),
        ("invalid_exact_svm_payload_transaction_instructions_length", vec![right[0].clone(), right[2].clone()]),
        ("invalid_exact_svm_payload_transaction_instructions_length", with(&|all| (0..3).for_each(|_| all.push(solana_tx::memo("more"))))),
        (
            "invalid_exact_svm_payload_transaction_instructions_compute_price_instruction_too_high",
            with(&|all| all[1] = solana_tx::compute_budget(0, 5_000_001)[1].clone()),
        ),
        (
            "invalid_exact_svm_payload_transaction_instructions_compute_price_instruction_too_high",
            with(&|all| all.splice(..2, solana_tx::compute_budget(400_000, 1_000_000)).for_each(drop)),
        ),
        (
            "invalid_exact_svm_payload_transaction_instructions_compute_limit_instruction_too_high",
            with(&|all| all[0] = solana_tx::compute_budget(1_400_000, 1)[0].clone()),
        ),
        ("invalid_exact_svm_payload_transaction_instructions_compute_limit_instruction", with(&|all| all.swap(0, 1))),
        ("invalid_exact_svm_payload_transaction_instructions_compute_price_instruction", with(&|all| all[1] = all[0].clone())),
    ]
}

const LIGHTHOUSE: &str = "L2TExMFKdjpN9kozasaurPirfHy9P8sbXoAN1qA3S95";

async fn altered_envelopes(scene: &Scene, session: &Value, right: &[Instruction]) -> Vec<Altered> {
    let signed = scene.signed(right).await;
    let good = scene.request(session, &signed);
    let with = |path: &str, value: Value| {
        let mut altered = good.clone();
        *altered.pointer_mut(path).unwrap_or_else(|| panic!("{path}")) = value;
        altered
    };
    // A requirement altered on both sides, as a hostile resource server would.
    let both = |field: &str, value: Value| {
        let mut altered = good.clone();
        for of in ["/paymentRequirements", "/paymentPayload/accepted"] {
            *altered.pointer_mut(&format!("{of}/{field}")).unwrap() = value.clone();
        }
        altered
    };
    let mut forged = signed.clone();
    // The second signature is the buyer's.
    forged[70] ^= 1;
    let (stranger, blockhash) = (Keypair::generate(), scene.chain.blockhash().await);
    let third = [right, &[solana_tx::memo("x")]].concat();
    let mut third = third;
    third[4].accounts.push(AccountMeta { address: stranger.address(), signer: true, writable: false });
    let three = Message::compile(Version::V0, scene.fee_payer, blockhash, &third).sign(&[&scene.buyer, &stranger]);
    let own = Message::compile(Version::V0, scene.buyer.address(), blockhash, right).sign(&[&scene.buyer]);
    let stale = Message::compile(Version::V0, scene.fee_payer, [9; 32], right).sign(&[&scene.buyer]);
    let other = json!(stranger.address().to_string());
    vec![
        ("invalid_exact_svm_payload_signature_invalid", scene.request(session, &forged)),
        ("invalid_exact_svm_payload_excessive_signers", scene.request(session, &three)),
        ("invalid_exact_svm_fee_payer_mismatch", scene.request(session, &own)),
        ("invalid_exact_svm_transaction_simulation_failed", scene.request(session, &stale)),
        ("transaction_simulation_failed", scene.request_v1(session, &stale)),
        ("invalid_exact_svm_payload_transaction_could_not_be_decoded", with("/paymentPayload/payload/transaction", json!("AAAA"))),
        (
            "invalid_exact_svm_payload_transaction_could_not_be_decoded",
            with("/paymentPayload/payload/transaction", json!(STANDARD.encode([signed.clone(), vec![0; 1300]].concat()))),
        ),
        ("invalid_payload", with("/paymentPayload/payload", json!({"signature": "0x00"}))),
        ("invalid_x402_version", with("/x402Version", json!(3))),
        ("invalid_x402_version", with("/paymentPayload/x402Version", json!(1))),
        ("invalid_exact_svm_unsupported_scheme", both("scheme", json!("upto"))),
        ("invalid_exact_svm_network_mismatch", with("/paymentPayload/accepted/network", json!("solana:EtWTRABZaYq6iMfeYKouRu166VU2xqa1"))),
        ("invalid_exact_svm_network_mismatch", both("network", json!("solana:EtWTRABZaYq6iMfeYKouRu166VU2xqa1"))),
        ("invalid_payment_requirements", with("/paymentRequirements/amount", json!("1"))),
        ("invalid_payment_requirements", both("payTo", other.clone())),
        ("invalid_payment_requirements", both("asset", other.clone())),
        ("invalid_payment_requirements", both("maxAmountRequired", json!("1"))),
        ("invalid_payment_requirements", both("maxTimeoutSeconds", json!(6000))),
        ("invalid_payment_requirements", both("extra", json!({"feePayer": scene.fee_payer.to_string(), "memo": "HILT:beef"}))),
        ("invalid_payment_requirements", both("extra", json!({"feePayer": scene.fee_payer.to_string()}))),
        (
            "invalid_exact_svm_fee_payer_not_managed_by_facilitator",
            both("extra", json!({"feePayer": other, "memo": accepts(session)["extra"]["memo"]})),
        ),
        ("invalid_exact_svm_payload_missing_fee_payer", both("extra", json!({"memo": accepts(session)["extra"]["memo"]}))),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn one_transaction_pays_one_session_and_one_session_takes_one_transaction() {
    let scene = Scene::open().await;
    let (one, two) = (scene.session("cust_1").await, scene.session("cust_2").await);
    let first = scene.signed(&scene.instructions(&one)).await;
    let settled = scene.settle(&scene.request(&one, &first)).await;
    assert_eq!(settled["success"], json!(true), "{settled}");
    for _ in 0..2 {
        let elsewhere = scene.settle(&scene.request(&two, &first)).await;
        assert_eq!(elsewhere["errorReason"], json!("duplicate_settlement"), "INV-5: {elsewhere}");
    }
    assert_eq!(shop::events_of_type(&scene.app, "proof.replay_rejected").await.len(), 1, "kept once");
    // Another payment for what is paid would be the buyer's loss.
    let again = scene.signed(&scene.instructions(&one)).await;
    let again = scene.settle(&scene.request(&one, &again)).await;
    assert_eq!((&again["success"], &again["errorReason"]), (&json!(false), &json!("duplicate_settlement")), "{again}");
    assert_eq!(scene.chain.tokens(&scene.buyer.address(), &USDC_MINT).await, 75_000_000, "paid once");
    // Two transactions at once for one session: one is sent.
    let (a, b) = (scene.signed(&scene.instructions(&two)).await, scene.signed(&with_price(&scene, &two, 2)).await);
    let (a, b) = (scene.request(&two, &a), scene.request(&two, &b));
    let (a, b) = futures::future::join(scene.settle(&a), scene.settle(&b)).await;
    assert_eq!([&a, &b].iter().filter(|answer| answer["success"] == json!(true)).count(), 1, "{a} {b}");
    assert_eq!(scene.chain.tokens(&scene.buyer.address(), &USDC_MINT).await, 50_000_000, "paid once");
    scene.app.close().await;
}

fn with_price(scene: &Scene, session: &Value, price: u64) -> Vec<Instruction> {
    let mut instructions = scene.instructions(session);
    instructions.splice(..2, solana_tx::compute_budget(20_000, price)).for_each(drop);
    instructions
}

#[tokio::test(flavor = "multi_thread")]
async fn a_settlement_that_nobody_waits_for_is_finished_by_the_watcher() {
    let scene = Scene::open().await;
    let session = scene.session("cust_1").await;
    let request = scene.request(&session, &scene.signed(&scene.instructions(&session)).await);
    let call = scene.app.request(Method::POST, "/v1/x402/settle").timeout(Duration::from_millis(150)).json(&request);
    let _ = call.send().await;
    // Whether or not it was sent by then, settling again comes to the one transaction.
    let settled = scene.settle(&request).await;
    assert_eq!(settled["success"], json!(true), "{settled}");
    scene.shop.until_access(&scene.app, "cust_1").await;
    shop::until_event(&scene.app, "fee.due").await;
    assert_eq!(shop::events_of_type(&scene.app, "settlement.evidenced").await.len(), 1);
    assert_eq!(shop::events_of_type(&scene.app, "proof.fingerprinted").await.len(), 1);
    scene.app.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_paid_any_more_says_so_and_long_bodies_are_not_read() {
    let scene = Scene::open().await;
    let session = scene.session("cust_1").await;
    let request = scene.request(&session, &scene.signed(&scene.instructions(&session)).await);
    scene.app.clock.advance_seconds(31 * 60);
    assert_eq!(scene.verify(&request).await["invalidReason"], json!("invalid_transaction_state"));
    let mut long = request.clone();
    long["paymentPayload"]["padding"] = json!("x".repeat(70_000));
    scene.app.send(scene.app.request(Method::POST, "/v1/x402/verify").json(&long)).await.refused(413, "payload_too_large");
    let empty = scene.verify(&json!({})).await;
    assert_eq!(empty["invalidReason"], json!("invalid_payload"), "{empty}");
    scene.app.close().await;
}
