//! Statements of a real local chain, held against the log: what matches, what one side lacks, and what both disagree on; over HTTP, and by
//! `hilt-replay` against the record, the file and a bundle.

#[path = "reconciliation/altered.rs"]
mod altered;
#[path = "reconciliation/recorded.rs"]
mod recorded;
#[path = "reconciliation/scene.rs"]
mod scene;
#[path = "lifecycle/shop.rs"]
#[allow(dead_code, reason = "each test binary uses its own part of the shop")]
mod shop;

use api::http::jwt::Role;
use hilt_tests::app::TestApp;
use reqwest::Method;
use scene::{Asked, FEE_WALLET, Scene, statements_on_record, sums};
use serde_json::{Value, json};
use shop::events_of_type;

#[tokio::test(flavor = "multi_thread")]
async fn what_the_chain_says_is_what_the_log_says() {
    let scene = Scene::start(3).await;
    let file = scene.statement_of(&scene.merchant).await;
    let answer = scene.import(&Asked::of(&scene.merchant), &file).await;
    assert_eq!(answer.status.as_u16(), 201, "{}", answer.body);
    let imported = answer.ok();
    assert_eq!((&imported["reconciled"], &imported["lines"]), (&json!(true), &json!(3)), "{imported}");
    assert_eq!(sums(&imported["sums"]), [74_250_000, 74_250_000, 0]);
    assert_eq!(imported["sums"]["matched"]["count"], json!(3));
    // Fees reached another wallet, in the same transactions.
    let wallet = FEE_WALLET.parse().unwrap();
    let fees = scene.import(&Asked::of(&wallet), &scene.statement_of(&wallet).await).await.ok();
    assert_eq!((&fees["reconciled"], sums(&fees["sums"])), (&json!(true), [750_000, 750_000, 0]), "{fees}");

    let again = scene.import(&Asked::of(&scene.merchant), &file).await;
    assert_eq!((again.status.as_u16(), &again.body["statement_id"]), (200, &imported["statement_id"]));
    assert_eq!((&again.body["sums"], &again.body["created_at"]), (&imported["sums"], &imported["created_at"]));
    let longer = Asked { to: "2101-01-01T00:00:00Z".to_owned(), ..Asked::of(&scene.merchant) };
    scene.import(&longer, &file).await.refused(409, "statement_imported_otherwise");
    assert_eq!(statements_on_record(&scene.app).await, 2, "one for each wallet, however often they are brought");

    let receipts: Vec<Value> = scene.items(&imported, "?status=matched").await["items"].as_array().unwrap().clone();
    for entry in &receipts {
        let leg = &entry["legs"][0];
        let receipt = scene.app.get(&scene.app.live_key, &format!("/v1/receipt/{}", leg["receipt_id"].as_str().unwrap())).await.ok();
        assert_eq!(receipt["receipt_json"]["transaction"]["tx_sig"], entry["reference"], "{receipt}");
        assert_eq!((&leg["role"], &leg["amount_minor_units"]), (&json!("merchant"), &json!(24_750_000)));
        assert_eq!(leg["at"], entry["lines"][0]["at"], "the time of the block on both sides");
    }
    scene.app.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_missing_altered_or_foreign_is_listed_and_sums_to_the_difference() {
    let scene = Scene::start(4).await;
    let mut transactions: Vec<Value> = serde_json::from_slice(&scene.statement_of(&scene.merchant).await).unwrap();
    let signature = |transaction: &Value| transaction["transaction"]["signatures"][0].as_str().unwrap().to_owned();
    let removed = signature(&transactions.remove(0));
    scene::receive(&mut transactions[0], &scene.merchant, -1_000_000);
    let altered = signature(&transactions[0]);
    let mut foreign = transactions[1].clone();
    foreign["transaction"]["signatures"][0] = json!(events::vocab::bytes::TxSignature([7; 64]).to_string());
    let stranger = signature(&foreign);
    transactions.push(foreign);
    let file = serde_json::to_vec(&transactions).unwrap();
    let imported = scene.import(&Asked::of(&scene.merchant), &file).await.ok();

    // Two matched, one short of a million, one that the log does not know, and one that the statement does not have.
    assert_eq!((&imported["reconciled"], sums(&imported["sums"])), (&json!(false), [98_000_000, 99_000_000, -1_000_000]), "{imported}");
    for (status, reference, statement, ledger) in [
        ("different", altered, Some("23750000"), Some("24750000")),
        ("statement_only", stranger, Some("24750000"), None),
        ("ledger_only", removed, None, Some("24750000")),
    ] {
        let list = scene.items(&imported, &format!("?status={status}")).await;
        let items = list["items"].as_array().unwrap();
        assert_eq!((items.len(), &list["count"], &list["has_more"]), (1, &json!(1), &json!(false)), "{list}");
        let entry = &items[0];
        assert_eq!((&entry["reference"], &entry["status"]), (&json!(reference), &json!(status)), "{entry}");
        assert_eq!((&entry["statement_minor_units"], &entry["ledger_minor_units"]), (&json!(statement), &json!(ledger)));
        assert_eq!(list["sums"], imported["sums"]);
    }
    // Page by page, each once, in order.
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = scene.items(&imported, &format!("?limit=2{cursor}")).await;
        seen.extend(page["items"].as_array().unwrap().iter().map(|entry| entry["number"].as_u64().unwrap()));
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(seen, [1, 2, 3, 4, 5]);
    scene.app.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_read_is_refused_by_its_place_and_leaves_nothing() {
    let scene = Scene::start(1).await;
    let asked = Asked::of(&scene.merchant);
    let csv = |rows: &str| format!("id,at,amount_minor_units\n{rows}").into_bytes();
    let signature = events::vocab::bytes::TxSignature([7; 64]).to_string();
    let now = &asked.from;
    let in_csv = Asked { format: "csv".to_owned(), ..asked.clone() };
    for (asked, file, field) in [
        (&in_csv, csv(&format!("{signature},{now},1\n{signature},{now},1.5\n")), "line 3, column amount_minor_units"),
        (&in_csv, csv(&format!("Somebody Unmistakable,{now},1\n")), "line 2, column id"),
        (&in_csv, csv(&format!("{signature},1969-12-31T00:00:00Z,1\n")), "line 2, column at"),
        (&asked, b"{".to_vec(), "line 1, column 1"),
        (&asked, b"[{}]".to_vec(), "item 1, field transaction.signatures"),
        (&Asked { format: "stripe_csv".to_owned(), ..asked.clone() }, csv(""), "file"),
        (&Asked { format: "pdf".to_owned(), ..asked.clone() }, csv(""), "format"),
        (&Asked { source: "base_usdc".to_owned(), ..asked.clone() }, csv(""), "source"),
        (&Asked { account: "me".to_owned(), ..asked.clone() }, csv(""), "account"),
        (&Asked { asset: "EURC".to_owned(), ..asked.clone() }, csv(""), "asset"),
        (&Asked { to: asked.from.clone(), ..asked.clone() }, csv(""), "to"),
        (&Asked { from: "yesterday".to_owned(), ..asked.clone() }, csv(""), "from"),
    ] {
        let refused = scene.import(asked, &file).await.refused(422, "validation_failed");
        assert_eq!(refused["errors"][0]["field"], json!(field), "{refused}");
        assert!(!refused.to_string().contains("Unmistakable"), "{refused}");
    }
    let huge = vec![b' '; (8 << 20) + 1];
    scene.import(&in_csv, &huge).await.refused(413, "payload_too_large");
    assert_eq!(statements_on_record(&scene.app).await, 0);

    // What a file says of people stays out of the log and of every read model.
    let memo = format!("id,at,amount_minor_units,counterparty\n{signature},{now},12,Unmistakable Name\n");
    let imported = scene.import(&in_csv, memo.as_bytes()).await.ok();
    assert_eq!(imported["sums"]["statement_only"]["count"], json!(1));
    scene.app.caught_up().await;
    let read = scene.items(&imported, "").await;
    assert!(!read.to_string().contains("Unmistakable"));
    let events = [events_of_type(&scene.app, "statement.imported").await, events_of_type(&scene.app, "statement.entries_recorded").await];
    assert!(events.iter().all(|events| events.len() == 1) && !json!(events).to_string().contains("Unmistakable"));
    assert_eq!(scene.app.database.tables_holding("Unmistakable").await, Vec::<String>::new());
    scene.app.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn staff_bring_statements_and_auditors_read_them() {
    let scene = Scene::start(1).await;
    let app: &TestApp = &scene.app;
    let file = scene.statement_of(&scene.merchant).await;
    let imported = scene.import(&Asked::of(&scene.merchant), &file).await.ok();
    let auditor = app.token(Role::Auditor, None).await;
    let get = |path: String, token: String| async move { app.send(app.request(Method::GET, &path).bearer_auth(token)).await };
    let base = "/v1/admin/access/reconciliation/statements";
    let one = format!("{base}/{}", imported["statement_id"].as_str().unwrap());
    assert_eq!(get(one.clone(), auditor.clone()).await.ok(), imported);
    for (query, count) in [("", 1), ("?source=solana_usdc", 1), ("?source=stripe", 0)] {
        let list = get(format!("{base}{query}"), auditor.clone()).await.ok();
        assert_eq!((&list["count"], list["statements"].as_array().unwrap().len()), (&json!(count), count as usize), "{query}: {list}");
    }
    assert_eq!(get(format!("{base}?account={}", scene.merchant), auditor.clone()).await.ok()["count"], json!(1));
    get(format!("{base}?source=x"), auditor.clone()).await.refused(422, "validation_failed");
    get(format!("{one}/items?status=x"), auditor.clone()).await.refused(422, "validation_failed");
    get(format!("{one}/items?cursor=x"), auditor.clone()).await.refused(422, "validation_failed");
    get(format!("{base}/{}", app.owner), auditor.clone()).await.refused(404, "statement_not_found");
    get(format!("{base}/{}/items", app.owner), auditor.clone()).await.refused(404, "statement_not_found");
    let owner = app.token(Role::Owner, Some(app.owner)).await;
    get(one.clone(), owner).await.refused(403, "staff_required");
    app.get(&app.live_key, &one).await.refused(403, "staff_required");
    let post = app.request(Method::POST, &Asked::of(&scene.merchant).path()).bearer_auth(auditor).body(file);
    app.send(post).await.refused(403, "staff_required");
    scene.app.close().await;
}
