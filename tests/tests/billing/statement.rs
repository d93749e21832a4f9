//! Stripe's own statement of the account, held against the invoices that the log has.

use crate::office::Office;
use api::http::jwt::Role;
use events::vocab::{event::Event, time::Timestamp};
use hilt_tests::app::Answer;
use reqwest::Method;
use serde_json::{Value, json};

impl Office {
    /// The invoices that were paid, by the log.
    async fn invoices(&self) -> Vec<(String, Timestamp)> {
        let head = self.app.state.log.head().await.unwrap().next_position;
        let recorded = self.app.state.log.read_range(0..head).await.unwrap();
        let mut synced = recorded.iter().filter_map(|recorded| match recorded.decode().unwrap() {
            Event::WorkspaceBillingSynced(synced) => Some(synced.invoices),
            _ => None,
        });
        synced.next_back().unwrap().into_iter().map(|invoice| (invoice.invoice_id, invoice.created_at)).collect()
    }

    async fn import(&self, (from, to): (Timestamp, Timestamp), file: String) -> Answer {
        let staff = self.app.token_of("staff-1", Role::Staff, None).await;
        let query = format!("source=stripe&account=acct_1Hilt&asset=usd&format=stripe_csv&from={from}&to={to}");
        let request = self.app.request(Method::POST, &format!("/v1/admin/access/reconciliation/statements?{query}"));
        self.app.send(request.bearer_auth(staff).body(file)).await
    }

    async fn entries(&self, statement: &Value) -> Vec<(String, String)> {
        let auditor = self.app.token(Role::Auditor, None).await;
        let path = format!("/v1/admin/access/reconciliation/statements/{}/items", statement["statement_id"].as_str().unwrap());
        let list = self.app.send(self.app.request(Method::GET, &path).bearer_auth(auditor)).await.ok();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let mut entries: Vec<_> =
            list["items"].as_array().unwrap().iter().map(|entry| (text(&entry["reference"]), text(&entry["status"]))).collect();
        entries.sort();
        entries
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invoice_is_matched_and_what_stripe_keeps_and_pays_out_is_listed() {
    let office = Office::open().await;
    office.subscribed().await;
    let invoices = office.invoices().await;
    let [(invoice, at)] = &invoices[..] else { panic!("one invoice was paid: {invoices:?}") };
    let period = (at.plus_days(0).plus_seconds(-86_400), at.plus_days(1));
    let day = at.to_string()[..16].replace('T', " ");
    let header = "balance_transaction_id,created_utc,currency,gross,fee,net,reporting_category,customer_email,invoice_id\n";
    let charge = |invoice: &str| format!("txn_1,{day}:00,usd,349.00,10.42,338.58,charge,unmistakable@example.com,{invoice}\n");
    let payout = format!("txn_2,{day}:00,usd,-338.58,0.00,-338.58,payout,,\n");

    let imported = office.import(period, format!("{header}{}{payout}", charge(invoice))).await.ok();
    let sums = &imported["sums"];
    assert_eq!((&sums["matched"]["count"], &sums["matched"]["statement_minor_units"]), (&json!(1), &json!("34900")), "{imported}");
    // The balance did not change at all: the invoice went out as a payout, but for what Stripe kept.
    assert_eq!((&sums["statement_total_minor_units"], &sums["difference_minor_units"]), (&json!("0"), &json!("-34900")));
    assert_eq!((&sums["statement_only"]["count"], &sums["statement_only"]["statement_minor_units"]), (&json!(2), &json!("-34900")));
    let listed = |reference: &str, status: &str| (reference.to_owned(), status.to_owned());
    assert_eq!(
        office.entries(&imported).await,
        [listed(invoice, "matched"), listed("txn_1", "statement_only"), listed("txn_2", "statement_only")]
    );

    // Without the column, nothing names the invoice: both sides list what they have.
    let unnamed = office.import(period, format!("{header}{}", charge(""))).await.ok();
    assert_eq!(office.entries(&unnamed).await, [listed(invoice, "ledger_only"), listed("txn_1", "statement_only")]);
    let other = office.import(period, format!("{header}{}", charge(invoice).replace(",usd,", ",eur,"))).await;
    assert_eq!(other.refused(422, "validation_failed")["errors"][0]["field"], json!("line 2, column currency"));
    assert_eq!(office.app.database.tables_holding("unmistakable@example.com").await, Vec::<String>::new());
    office.close().await;
}
