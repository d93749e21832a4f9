//! Mail (RT-043, reminders) and support tickets (RT-045 to RT-049): AC-9, 10, 35, 36, 44, 45, INV-77, INV-78.

#[path = "lifecycle/shop.rs"]
#[allow(dead_code, reason = "each test binary uses its own part of the shop")]
mod shop;

#[path = "support/mail.rs"]
mod mail;
#[path = "support/reminders.rs"]
mod reminders;
#[path = "support/tickets.rs"]
mod tickets;

use events::{
    clock::new_id,
    log::{Append, Context, Expected, NewEvent, StreamWrite},
    unit::Unit,
    vocab::{
        event::ReceiptInvoiceMetadataSaved,
        id::SubjectId,
        personal::Personal,
        stream::{Actor, Category, StreamId},
        words::Scope,
    },
};
use hilt_tests::{
    app::{SOON, TestApp},
    payments::{self, Paid, Shop},
};
use ledger::subject::{self, Subject};
use serde_json::Value;
use std::time::{Duration, Instant};

/// A merchant with one paid payment, and his key.
struct Merchant {
    shop: Shop,
    paid: Paid,
    key: String,
}

impl Merchant {
    async fn open(app: &TestApp) -> Self {
        let shop = payments::shop(&app.state.log, true).await;
        let paid = payments::paid(&app.state.log, &shop).await;
        let key = app.key(shop.owner_id, true, Scope::ALL).await;
        Merchant { shop, paid, key }
    }

    fn context(&self) -> Context {
        Context {
            owner_id: Some(self.shop.owner_id),
            livemode: true,
            actor: Actor::system("test"),
            request_id: None,
            correlation_id: new_id(),
        }
    }

    /// The buyer's address is in the invoice metadata.
    async fn saves_email(&self, app: &TestApp, email: &str) {
        let subject_id = self.paid.session.subject_id;
        let saved = ReceiptInvoiceMetadataSaved { receipt_id: self.paid.receipt_id, subject_id };
        let personal = Personal { email: Some(email.to_owned()), ..Personal::default() };
        let events = vec![NewEvent { event_id: new_id(), event: saved.into(), personal: Some((subject_id, personal)), causation_id: None }];
        let stream = StreamId::new(Category::Receipt, self.paid.receipt_id);
        let writes = vec![StreamWrite { stream, expected: Expected::Exists, events }];
        app.state.log.append(Append { context: self.context(), writes, idempotency: None }).await.unwrap();
    }

    /// The person is forgotten.
    async fn erases(&self, app: &TestApp, subject_id: SubjectId) {
        let mut unit = Unit::new(&app.state.log, self.context());
        let mut person = unit.start::<Subject>(StreamId::new(Category::Subject, subject_id));
        unit.decide(&mut person, subject::Command::Erase { subject_id, reason: "asked".into(), approval: None }, None).unwrap();
        unit.commit().await.unwrap();
        app.state.vault.erase(subject_id).await.unwrap();
    }

    fn send_proof(&self) -> String {
        format!("/v1/receipt/{}/send-proof", self.paid.receipt_id)
    }
}

/// Waits until the log has `count` events of that type, and returns what they say.
async fn until_events(app: &TestApp, event_type: &str, count: usize) -> Vec<Value> {
    let deadline = Instant::now() + SOON;
    loop {
        let found = shop::events_of_type(app, event_type).await;
        if found.len() >= count {
            return found.into_iter().map(|event| event["data"].clone()).collect();
        }
        assert!(Instant::now() < deadline, "{event_type} never happened {count} times: {found:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
