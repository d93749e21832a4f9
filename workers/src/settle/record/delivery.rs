//! What a settled payment hands over, decided in the settlement's own append: a product's own value is handed over by it, and what a
//! bot makes is asked for.

use super::{Case, SettleError, rejected};
use crate::delivery::{Handover, static_outcome};
use events::vocab::{
    event::EventType,
    id::{AccessDeliveryId, EventId, MembershipId},
    stream::{Category, StreamId},
    words::DeliveryMode,
};
use ledger::{
    Cited,
    delivery::{Attempt, Command, Delivery, Request},
    payment::Payment,
};

impl Case<'_> {
    pub(super) async fn deliver(
        &mut self,
        handover: &Handover,
        payment_event: EventId,
        membership_id: Option<MembershipId>,
    ) -> Result<(), SettleError> {
        let Payment::Confirmed { confirmed, .. } = &self.payment.state else { return Ok(()) };
        let offer = handover.offer(self.facts.product_id).await?;
        let Some((delivery_type, mode)) = offer.settings.mode(handover.automation()) else { return Ok(()) };
        let (subject_id, _) = self.member().await?;
        let request = Request {
            payment: Cited::new(payment_event, (**confirmed).clone()),
            access_product_id: self.facts.access_product_id,
            membership_id,
            subject_id,
            delivery_type,
            mode,
        };
        let stream = StreamId::new(Category::Delivery, AccessDeliveryId::of(self.facts.payment_id));
        let mut delivery = self.unit.start::<Delivery>(stream);
        self.unit.decide(&mut delivery, Command::Request(Box::new(request)), Some(payment_event)).map_err(rejected!())?;
        if mode == DeliveryMode::StaticValue {
            let attempt = Attempt { attempt: 1, mode, outcome: static_outcome(&offer), now: self.now };
            let cause = delivery.first(EventType::DeliveryRequested);
            self.unit.decide(&mut delivery, Command::RecordAttempt(Box::new(attempt)), cause).map_err(rejected!())?;
        }
        Ok(())
    }
}
