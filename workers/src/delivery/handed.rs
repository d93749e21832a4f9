//! What a buyer gets to see of his delivery (RT-017).

use super::{DeliverError, Handover};
use events::{
    decider::Decider as _,
    vocab::{
        event::EventType,
        id::{AccessDeliveryId, PaymentId},
        stream::{Category, Recorded, StreamId},
        words::{DeliveryMode, DeliveryStatus, DeliveryType},
    },
};
use ledger::delivery::{Delivery, Stage};
use std::time::Duration;

/// How often a delivery is looked at while a buyer waits for it and nothing tells of it: another process may make it.
const LOOK: Duration = Duration::from_millis(100);

/// What was handed over.
#[derive(Clone, PartialEq)]
pub struct Handed {
    /// What the product hands over, if anything.
    pub delivery_type: Option<DeliveryType>,
    /// The buyer's own link, or else the product's own value; only for whoever paid.
    pub value: Option<String>,
    /// Where the delivery stands.
    pub status: DeliveryStatus,
}

impl Handover {
    /// What the payment's buyer was handed. One that a bot is about to make is waited for, at most `patience`.
    pub async fn handed(&self, payment: PaymentId, patience: Duration) -> Result<Handed, DeliverError> {
        let id = AccessDeliveryId::of(payment);
        let mut head = self.0.log.watch_head();
        let deadline = tokio::time::Instant::now() + patience;
        loop {
            head.mark_unchanged();
            let (state, recorded) = self.read(id).await?;
            let waits = matches!(state.case(), Some(case) if matches!(case.stage, Stage::Pending(_)));
            if !waits || tokio::time::Instant::now() >= deadline {
                return self.show(&state, &recorded).await;
            }
            let _ = tokio::time::timeout(LOOK, head.changed()).await;
        }
    }

    /// The link that was made for this buyer last, whether it was the delivery or only the way in.
    pub(super) async fn last_link(&self, id: AccessDeliveryId) -> Result<Option<String>, DeliverError> {
        let (_, recorded) = self.read(id).await?;
        self.link(&recorded).await
    }

    /// Every link that was made for this buyer.
    pub(super) async fn links(&self, id: AccessDeliveryId) -> Result<Vec<String>, DeliverError> {
        let (_, recorded) = self.read(id).await?;
        let sealed: Vec<Recorded> = recorded.into_iter().filter(|event| event.sealed.is_some()).collect();
        let opened = self.0.vault.open_all(&sealed).await?;
        Ok(opened.into_iter().flatten().filter_map(|personal| personal.text).collect())
    }

    async fn show(&self, state: &Delivery, recorded: &[Recorded]) -> Result<Handed, DeliverError> {
        let Some(case) = state.case() else {
            return Ok(Handed { delivery_type: None, value: None, status: DeliveryStatus::NotRequired });
        };
        let offer = self.offer(case.requested.product_id).await?;
        let status = state.status();
        let runs = self.access_runs(case.requested.membership_id).await?;
        // The product's own value does not wait for a bot that may still make a better one.
        let shown = runs && (case.mode == DeliveryMode::StaticValue || status != DeliveryStatus::Pending);
        let value = match shown {
            false => None,
            true => self.link(recorded).await?.or(offer.value),
        };
        Ok(Handed { delivery_type: offer.settings.delivery_type.or(Some(case.requested.delivery_type)), value, status })
    }

    async fn link(&self, recorded: &[Recorded]) -> Result<Option<String>, DeliverError> {
        let with_link = |event: &&Recorded| event.sealed.is_some() || event.envelope.event_type == EventType::DeliverySent;
        match recorded.iter().rev().find(with_link) {
            Some(event) => Ok(self.0.vault.open(event).await?.and_then(|personal| personal.text)),
            None => Ok(None),
        }
    }

    async fn read(&self, id: AccessDeliveryId) -> Result<(Delivery, Vec<Recorded>), DeliverError> {
        let recorded = self.0.log.read_stream(StreamId::new(Category::Delivery, id), 0).await?;
        let events = recorded.iter().map(Recorded::decode).collect::<Result<Vec<_>, _>>()?;
        Ok((Delivery::fold(&events), recorded))
    }
}
