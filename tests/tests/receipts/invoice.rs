//! Notes for the invoice (RT-042), and what anyone may see of a receipt (RT-039, RT-040).

use crate::{described, make, valid};
use events::{
    clock::new_id,
    vocab::{id::OwnerId, words::Scope},
};
use hilt_tests::app::{Answer, TestApp};
use reqwest::Method;
use serde_json::{Value, json};

async fn patch(app: &TestApp, key: &str, id: &str, body: Value) -> Answer {
    let path = format!("/v1/receipt/{id}/invoice-metadata");
    app.send(app.request(Method::PATCH, &path).header("X-Hilt-Key", key).json(&body)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn notes_are_merged_field_by_field_and_nothing_signed_changes() {
    let app = TestApp::start(&[]).await;
    let made = make(&app, &described(1)).await.ok();
    let id = made["receipt_id"].as_str().unwrap();
    let all = json!({"invoice_number": "INV-2026-0042", "buyer_name": " Ada Buyer ", "buyer_email": "ada@example.com",
        "billing_reference": "PO-7781", "notes": "Paid by wire first."});
    let saved = patch(&app, &app.live_key, id, all).await.ok();
    assert_eq!(saved["invoice_metadata"]["buyer_name"], json!("Ada Buyer"));
    let merged = patch(&app, &app.live_key, id, json!({"notes": null, "billing_reference": "PO-7782"})).await.ok();
    let expected = json!({"invoice_number": "INV-2026-0042", "buyer_name": "Ada Buyer", "buyer_email": "ada@example.com",
        "billing_reference": "PO-7782", "notes": null});
    assert_eq!(merged["invoice_metadata"], expected, "RT-042: merged, and null clears");
    let receipt = app.get(&app.live_key, &format!("/v1/receipt/{id}")).await.ok();
    assert_eq!(receipt["invoice_metadata"], expected);
    for key in ["receipt_json", "receipt_hash", "ed25519_sig", "kid"] {
        assert_eq!(receipt[key], made[key], "INV-75: {key}");
    }
    assert_eq!(valid(&app, &made["receipt_id"]).await, json!(true), "AC-44");

    let public = app.get_public(&format!("/v1/receipt/{id}/public")).await.ok();
    let shown = json!({"invoice_number": "INV-2026-0042", "buyer_name": "Ada Buyer", "billing_reference": "PO-7782"});
    assert_eq!(public["invoice_metadata"], shown, "Q-8");
    assert_eq!((&public["verification"]["valid"], &public["receipt_json"]), (&json!(true), &made["receipt_json"]), "RT-040");
    assert!(!public.to_string().contains("ada@example.com"), "Q-8");
    for text in ["Ada Buyer", "ada@example.com", "PO-7782", "INV-2026-0042"] {
        let found = app.database.tables_holding(text).await;
        assert!(found.iter().all(|table| table.contains("receipts")), "{text} is sealed in the log: {found:?}");
    }
    for q in ["INV-2026-0042", "ada buy", "PO-7782"] {
        assert_eq!(app.get(&app.live_key, &format!("/v1/receipts?q={q}")).await.ok()["total"], json!(1), "RT-044: {q}");
    }

    let events = crate::shop::events_of_type(&app, "receipt.invoice_metadata_saved").await.len();
    patch(&app, &app.live_key, id, json!({"billing_reference": "PO-7782"})).await.ok();
    assert_eq!(crate::shop::events_of_type(&app, "receipt.invoice_metadata_saved").await.len(), events, "no change, no event");
    let refused = patch(&app, &app.live_key, id, json!({"buyer_email": "ada@"})).await.refused(422, "validation_failed");
    assert_eq!(refused["errors"][0]["field"], json!("buyer_email"));
    patch(&app, &app.live_key, id, json!({"notes": "x".repeat(4_001)})).await.refused(422, "text_too_long");
    let stranger = app.key(new_id::<OwnerId>(), true, Scope::ALL).await;
    patch(&app, &stranger, id, json!({"notes": "mine"})).await.refused(404, "receipt_not_found");
    patch(&app, &app.live_key, &new_id::<uuid::Uuid>().to_string(), json!({"notes": "x"})).await.refused(404, "receipt_not_found");
    app.get_public("/v1/receipt/nothing/public").await.refused(404, "receipt_not_found");
    app.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receipt_altered_in_the_database_is_not_valid() {
    let app = TestApp::start(&[]).await;
    let made = make(&app, &described(1)).await.ok();
    let id = &made["receipt_id"];
    assert_eq!(valid(&app, id).await, json!(true));
    let pool = app.database.admin_pool().await;
    let alter = async |from: &str, to: &str| {
        let tables: Vec<String> =
            sqlx::query_scalar("SELECT format('%I.%I', schemaname, tablename) FROM pg_tables WHERE tablename = 'receipts'")
                .fetch_all(&pool)
                .await
                .unwrap();
        for table in tables {
            let statement = format!("UPDATE {table} SET receipt_json = replace(receipt_json, $1, $2)");
            sqlx::query(sqlx::AssertSqlSafe(statement)).bind(from).bind(to).execute(&pool).await.unwrap();
        }
    };
    alter("200000", "900000").await;
    assert_eq!(valid(&app, id).await, json!(false), "INV-76");
    let public = app.get_public(&format!("/v1/receipt/{}/public", id.as_str().unwrap())).await.ok();
    assert_eq!(public["verification"]["valid"], json!(false), "INV-76: and so says whoever shows it");
    alter("900000", "200000").await;
    assert_eq!(valid(&app, id).await, json!(true));
    app.close().await;
}
