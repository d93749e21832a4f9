//! What a delivery's commands come to.

use super::{Again, Attempt, Case, LONGEST_RETRY_AFTER, Outcome, RETRY_MINUTES, Rejection, Request, Stage};
use events::vocab::{
    event::{
        DeliveryAttempted, DeliveryFailed, DeliveryManualReviewOpened, DeliveryRequested, DeliveryRescueExhausted, DeliveryRescueScheduled,
        DeliveryRetryRequested, DeliverySent, Event,
    },
    id::{AccessDeliveryId, SubjectId},
    personal::Personal,
    stream::Fact,
    time::Timestamp,
    words::{DeliveryMode, DeliveryTrigger},
};

impl Request {
    pub(super) fn event(self) -> DeliveryRequested {
        DeliveryRequested {
            delivery_id: AccessDeliveryId::of(self.payment.event.payment_id),
            payment_id: self.payment.event.payment_id,
            product_id: self.payment.event.product_id,
            access_product_id: self.access_product_id,
            membership_id: self.membership_id,
            subject_id: self.subject_id,
            delivery_type: self.delivery_type,
            mode: self.mode,
            payment_event: self.payment.id,
        }
    }
}

impl Case {
    pub(super) fn record(&self, attempt: Attempt) -> Result<Vec<Fact>, Rejection> {
        if (1..=self.attempts).contains(&attempt.attempt) {
            return Ok(vec![]);
        }
        let next = self.attempts.saturating_add(1);
        if attempt.attempt != next {
            return Err(Rejection::OutOfOrder { next });
        }
        let trigger = match self.stage {
            Stage::Pending(trigger) => trigger,
            Stage::Scheduled(due_at) if due_at <= attempt.now => DeliveryTrigger::Schedule,
            Stage::Scheduled(_) | Stage::Sent | Stage::Failed | Stage::ManualReview => return Err(Rejection::NotDue),
        };
        let mut facts = vec![self.attempted(&attempt, trigger)];
        match &attempt.outcome {
            Outcome::Sent { link } => facts.push(self.sent(&attempt, link.clone())),
            Outcome::Failed { reason, link, again } => {
                facts.push(self.failed(&attempt, trigger, reason, link.clone()));
                facts.extend(self.what_next(&attempt, *again));
            }
        }
        Ok(facts)
    }

    /// Where a try is due already, that one is it.
    pub(super) fn retry(&self, mode: DeliveryMode) -> Vec<Fact> {
        if matches!(self.stage, Stage::Pending(_)) {
            return vec![];
        }
        let DeliveryRequested { delivery_id, payment_id, membership_id, .. } = self.requested;
        vec![DeliveryRetryRequested { delivery_id, payment_id, membership_id, attempt: self.attempts.saturating_add(1), mode }.into()]
    }

    pub(super) fn after(mut self, event: &Event) -> Case {
        self.withdrawal = self.withdrawal.after(event);
        match event {
            Event::DeliveryAttempted(e) => Case { attempts: e.attempt, mode: e.mode, ..self },
            Event::DeliverySent(_) => Case { stage: Stage::Sent, ..self },
            Event::DeliveryFailed(_) => Case { stage: Stage::Failed, ..self },
            Event::DeliveryRescueScheduled(e) => Case { stage: Stage::Scheduled(e.due_at), rescues: self.rescues + 1, ..self },
            Event::DeliveryManualReviewOpened(_) => Case { stage: Stage::ManualReview, ..self },
            // A series of its own: the schedule begins again.
            Event::DeliveryRetryRequested(e) => Case { stage: Stage::Pending(DeliveryTrigger::Manual), mode: e.mode, rescues: 0, ..self },
            _ => self,
        }
    }

    fn attempted(&self, attempt: &Attempt, trigger: DeliveryTrigger) -> Fact {
        let DeliveryRequested { delivery_id, payment_id, membership_id, .. } = self.requested;
        DeliveryAttempted { delivery_id, payment_id, membership_id, attempt: attempt.attempt, trigger, mode: attempt.mode }.into()
    }

    fn sent(&self, attempt: &Attempt, link: Option<String>) -> Fact {
        let DeliveryRequested { delivery_id, payment_id, membership_id, subject_id, .. } = self.requested;
        let (number, mode, sent_at) = (attempt.attempt, attempt.mode, attempt.now);
        beside(DeliverySent { delivery_id, payment_id, membership_id, attempt: number, mode, sent_at }, subject_id, link)
    }

    fn failed(&self, attempt: &Attempt, trigger: DeliveryTrigger, reason: &str, link: Option<String>) -> Fact {
        let requested = &self.requested;
        let failed = DeliveryFailed {
            delivery_id: requested.delivery_id,
            payment_id: requested.payment_id,
            product_id: requested.product_id,
            access_product_id: requested.access_product_id,
            membership_id: requested.membership_id,
            subject_id: requested.subject_id,
            attempt: attempt.attempt,
            trigger,
            mode: attempt.mode,
            reason: reason.to_owned(),
            failed_at: attempt.now,
        };
        beside(failed, requested.subject_id, link)
    }

    fn what_next(&self, attempt: &Attempt, again: Again) -> Vec<Fact> {
        let DeliveryRequested { delivery_id, payment_id, membership_id, .. } = self.requested;
        let Again::OnSchedule { retry_after } = again else { return vec![] };
        let Some(minutes) = RETRY_MINUTES.get(self.rescues) else {
            return vec![
                DeliveryRescueExhausted { delivery_id, payment_id, membership_id, attempts: attempt.attempt }.into(),
                DeliveryManualReviewOpened { delivery_id, payment_id, membership_id }.into(),
            ];
        };
        let due_at = due(attempt.now, *minutes, retry_after);
        vec![DeliveryRescueScheduled { delivery_id, payment_id, membership_id, attempt: attempt.attempt.saturating_add(1), due_at }.into()]
    }
}

pub(super) fn due(now: Timestamp, minutes: i64, retry_after: Option<u32>) -> Timestamp {
    let asked = retry_after.map_or(0, i64::from).min(LONGEST_RETRY_AFTER);
    now.plus_seconds((minutes * 60).max(asked))
}

fn beside(event: impl Into<Event>, subject: SubjectId, link: Option<String>) -> Fact {
    match link {
        Some(link) => Fact::sealed(event, subject, Personal { text: Some(link), ..Personal::default() }),
        None => event.into().into(),
    }
}
