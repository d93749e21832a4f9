//! What may follow a payment of a [`Sample`]: tickets, webhooks, delivery, mail, and the merchant's own changes.

use super::{START, Sample, Written, amount, hash};
use events::{
    clock::new_id,
    vocab::{event::*, id::*, personal::Personal, words::*},
};

impl Sample {
    /// A ticket about it and a webhook of it.
    pub fn around(&self) -> Vec<Written> {
        let context = TicketContext { payment_id: Some(self.payment), ..TicketContext::default() };
        let opened = TicketOpened {
            ticket_id: self.ticket,
            public_id: format!("hilt_ticket_{}", self.ticket),
            subject_id: self.subject,
            message_id: new_id(),
            category: TicketCategory::Billing,
            author_type: AuthorType::Merchant,
            context,
            delivery_case_of: None,
        };
        let text = |text: &str| Personal { text: Some(text.to_owned()), ..Personal::default() };
        let added = TicketMessageAdded { ticket_id: self.ticket, message_id: new_id(), author_type: AuthorType::Staff };
        let emitted = WebhookEmitted {
            delivery_id: self.delivery,
            endpoint_id: self.endpoint,
            event: WebhookEvent::PaymentConfirmed,
            source_event: new_id(),
            source_position: 1,
            body_hash: hash(b"{}"),
        };
        let attempted = WebhookDeliveryAttempted {
            delivery_id: self.delivery,
            endpoint_id: self.endpoint,
            attempt: 1,
            outcome: AttemptOutcome::Failure,
            status_code: Some(500),
            error: Some("http_status".to_owned()),
            duration_ms: 12,
            attempted_at: START,
            url: Some("https://example.com/hook".to_owned()),
            signatures: Some(1),
        };
        let answer = r#"{"headers":[["server","x"]],"body":"not now","truncated":false}"#;
        let retry = WebhookRetryScheduled {
            delivery_id: self.delivery,
            endpoint_id: self.endpoint,
            attempt: 1,
            next_attempt_at: START.plus_seconds(5),
        };
        vec![
            self.sealed(opened, self.ticket, Personal { subject: Some("Where is it?".to_owned()), ..text("I paid and see nothing.") }),
            self.sealed(added, self.ticket, text("We look into it.")),
            self.at(TicketWaitingOnMerchant { ticket_id: self.ticket }, self.ticket),
            self.sealed(emitted, self.delivery, text("{}")),
            self.sealed(attempted, self.delivery, text(answer)),
            self.at(retry, self.delivery),
        ]
        .into_iter()
        .chain(self.not_delivered())
        .collect()
    }

    /// An agent that says what it will build, and is let into the workspace; and a product that it changes.
    pub fn agent(&self) -> Vec<Written> {
        let (setup_intent_id, access_product_id) = (self.setup, self.access_product);
        let begun = AgentSetupBootstrapped {
            setup_intent_id,
            token_hash: hash(b"token"),
            sandbox_key_id: new_id(),
            requested_permissions: vec![Scope::Read, Scope::Write],
            expires_at: START.plus_seconds(86_400),
            subject_id: self.subject,
        };
        let attached = AgentSetupManifestAttached { setup_intent_id, manifest_hash: hash(b"{}"), subject_id: self.subject };
        let approved = AgentSetupApproved {
            setup_intent_id,
            owner_id: self.owner,
            granted_permissions: vec![Scope::Read],
            live_key_id: Some(self.key),
            approved_at: START,
        };
        let said = |json: &str| Personal { metadata: Some(json.to_owned()), ..Personal::default() };
        let title = vec![AccessProductChange::Title("Club, anew".to_owned())];
        vec![
            self.sealed(begun, setup_intent_id, said("{\"agent_name\":\"Builder\"}")),
            self.sealed(attached, setup_intent_id, said("{}")),
            self.at(approved, setup_intent_id),
            self.at(AccessProductPaused { access_product_id }, access_product_id),
            self.at(AccessProductUpdated { access_product_id, changes: title }, access_product_id),
            self.at(AccessProductActivated { access_product_id, live_mode_confirmed: true }, access_product_id),
        ]
    }

    /// What was bought is to be handed over, and the provider does not answer.
    fn not_delivered(&self) -> Vec<Written> {
        let (delivery_id, payment_id, membership_id) = (AccessDeliveryId::of(self.payment), self.payment, Some(self.membership));
        let requested = DeliveryRequested {
            delivery_id,
            payment_id,
            product_id: self.product,
            access_product_id: Some(self.access_product),
            membership_id,
            subject_id: self.subject,
            delivery_type: DeliveryType::TelegramInvite,
            mode: DeliveryMode::TelegramBot,
            payment_event: new_id(),
        };
        let due_at = START.plus_seconds(60);
        let scheduled = DeliveryRescueScheduled { delivery_id, payment_id, membership_id, attempt: 2, due_at };
        [vec![self.at(requested, delivery_id)], self.failed(1, DeliveryTrigger::Settlement), vec![self.at(scheduled, delivery_id)]].concat()
    }

    fn failed(&self, attempt: u32, trigger: DeliveryTrigger) -> Vec<Written> {
        let (delivery_id, payment_id, membership_id) = (AccessDeliveryId::of(self.payment), self.payment, Some(self.membership));
        let mode = DeliveryMode::TelegramBot;
        let failed = DeliveryFailed {
            delivery_id,
            payment_id,
            product_id: self.product,
            access_product_id: Some(self.access_product),
            membership_id,
            subject_id: self.subject,
            attempt,
            trigger,
            mode,
            reason: "provider_unavailable".to_owned(),
            failed_at: START,
        };
        let attempted = DeliveryAttempted { delivery_id, payment_id, membership_id, attempt, trigger, mode };
        vec![self.at(attempted, delivery_id), self.at(failed, delivery_id)]
    }

    /// The second try hands it over.
    pub fn rescued(&self) -> Vec<Written> {
        let (delivery_id, payment_id, membership_id) = (AccessDeliveryId::of(self.payment), self.payment, Some(self.membership));
        let (trigger, mode) = (DeliveryTrigger::Schedule, DeliveryMode::TelegramBot);
        let sent = DeliverySent { delivery_id, payment_id, membership_id, attempt: 2, mode, sent_at: START.plus_seconds(90) };
        let link = Personal { text: Some("https://t.me/+personal".to_owned()), ..Personal::default() };
        let attempted = DeliveryAttempted { delivery_id, payment_id, membership_id, attempt: 2, trigger, mode };
        vec![self.at(attempted, delivery_id), self.sealed(sent, delivery_id, link)]
    }

    /// The last try fails too.
    pub fn given_up(&self) -> Vec<Written> {
        let (delivery_id, payment_id, membership_id) = (AccessDeliveryId::of(self.payment), self.payment, Some(self.membership));
        let exhausted = DeliveryRescueExhausted { delivery_id, payment_id, membership_id, attempts: 2 };
        let review = DeliveryManualReviewOpened { delivery_id, payment_id, membership_id };
        let opened = vec![self.at(exhausted, delivery_id), self.at(review, delivery_id)];
        [self.failed(2, DeliveryTrigger::Schedule), opened].concat()
    }

    /// The merchant wants it tried.
    pub fn retry_requested(&self) -> Written {
        let (delivery_id, payment_id, membership_id) = (AccessDeliveryId::of(self.payment), self.payment, Some(self.membership));
        self.at(DeliveryRetryRequested { delivery_id, payment_id, membership_id, attempt: 3, mode: DeliveryMode::TelegramBot }, delivery_id)
    }

    /// The membership ends: taking it back fails, and then succeeds.
    pub fn taken_back(&self) -> [Written; 3] {
        let (delivery_id, payment_id, membership_id) = (AccessDeliveryId::of(self.payment), self.payment, self.membership);
        let mode = DeliveryMode::TelegramBot;
        let requested = DeliveryWithdrawalRequested { delivery_id, payment_id, membership_id, ended_event: new_id() };
        let failed = DeliveryWithdrawalFailed {
            delivery_id,
            payment_id,
            membership_id,
            attempt: 1,
            mode,
            reason: "provider_unavailable".to_owned(),
            failed_at: START,
            retry_at: Some(START.plus_seconds(60)),
        };
        let withdrawn_at = START.plus_seconds(90);
        let out = DeliveryWithdrawn { delivery_id, payment_id, membership_id, attempt: 2, mode, was_in: true, withdrawn_at };
        [self.at(requested, delivery_id), self.at(failed, delivery_id), self.at(out, delivery_id)]
    }

    /// A mail about its receipt: queued, not taken, given up, and taken.
    pub fn mail(&self, mail_id: MailId) -> [Written; 4] {
        let queued = MailQueued {
            mail_id,
            kind: MailKind::ReceiptProof,
            subject_id: self.subject,
            receipt_id: Some(self.receipt),
            membership_id: None,
        };
        let text = Personal { subject: Some("Your proof".to_owned()), text: Some("The link is here.".to_owned()), ..self.customer() };
        let failed = |attempt, retry_at| MailFailed { mail_id, attempt, reason: "smtp_451".to_owned(), retry_at };
        [
            self.sealed(queued, mail_id, text),
            self.at(failed(1, Some(START.plus_seconds(60))), mail_id),
            self.at(failed(2, None), mail_id),
            self.at(MailSent { mail_id, attempt: 2 }, mail_id),
        ]
    }

    /// Its ticket is closed.
    pub fn closed(&self) -> Written {
        self.at(TicketClosed { ticket_id: self.ticket, delivery_case_of: None }, self.ticket)
    }

    /// The merchant changes the product, archives it, and says who he is.
    pub fn changed(&self) -> Vec<Written> {
        let changes = vec![
            ProductChange::Title("Inner Circle".to_owned()),
            ProductChange::Amount(amount(30_000_000)),
            ProductChange::DeliveryValue(true),
            ProductChange::MaxPayments(Some(500)),
            ProductChange::Branding(Branding { merchant_name: Some("Example Merchant".to_owned()), ..Branding::default() }),
        ];
        let updated = ProductUpdated { product_id: self.product, changes, subject_id: Some(self.subject), quote: None };
        let link = Personal { text: Some("https://t.me/+private".to_owned()), ..Personal::default() };
        let profile = Personal { metadata: Some("{\"merchant_name\":\"Example Merchant\"}".to_owned()), ..Personal::default() };
        vec![
            self.sealed(updated, self.product, link),
            self.at(ProductArchived { product_id: self.product }, self.product),
            self.sealed(WorkspaceProfileSaved { subject_id: self.subject }, self.owner, profile),
        ]
    }

    /// The person is forgotten.
    pub fn erased(&self) -> Written {
        self.at(SubjectErased { subject_id: self.subject, reason: "asked".to_owned(), approval: None }, self.subject)
    }
}
