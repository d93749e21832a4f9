//! The stages of one payment, each decided as the service decides it.

use super::{super::scratch::BenchError, PRICE, Sale, Shop, told};
use events::{
    clock::{new_id, random_bytes},
    decider::Decider,
    log::{Context, Log},
    unit::{Loaded, Unit},
    vocab::{
        bytes::{Hash32, SolanaAddress, TxSignature},
        event::{
            Asset, EntitlementOrigin, Event, EventType, MembershipTerms, ObservedPayment, ObservedTransfer, PaymentCreated,
            PaymentRequirementAuthored, ReceiptCreated, SettlementEvidenced,
        },
        id::*,
        personal::Personal,
        rail::RailId,
        stream::{Category, StreamId},
        time::Timestamp,
        words::{FeeSource, Outcome, Platform, Trigger, WebhookEvent},
    },
};
use ledger::{
    Cited,
    entitlement::{self, Entitlement},
    evidence::{Evidence, ReceiptEvidence},
    membership::{self, Membership},
    payment::{self, Payment},
    payment_session::{self, PaymentSession},
    proof::{self, Proof},
    receipt::{self, Receipt},
    webhook_delivery::{self, WebhookDelivery},
};
use uuid::Uuid;

/// About as many as the body of a webhook has.
const WEBHOOK_BYTES: usize = 2_000;
const NETWORK: &str = "solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp";

fn stream(category: Category, id: impl Into<Uuid>) -> StreamId {
    StreamId::new(category, id)
}

fn wallet() -> SolanaAddress {
    SolanaAddress(random_bytes())
}

fn customer(number: u64) -> Personal {
    Personal {
        email: Some(format!("buyer.{number}@example.com")),
        external_customer_id: Some(format!("cust_{number}")),
        ..Personal::default()
    }
}

/// The ids of one payment's streams.
struct Ids {
    session: SessionId,
    product: ProductId,
    access_product: AccessProductId,
    payment: PaymentId,
    entitlement: EntitlementId,
    proof: ProofId,
    receipt: ReceiptId,
}

/// One payment under way; what was decided is in `unit`.
pub struct Stages<'a> {
    /// What is to be appended.
    pub unit: Unit<'a>,
    shop: &'a Shop,
    ids: Ids,
    subject_id: SubjectId,
    number: u64,
    now: Timestamp,
}

/// A session with its payment and requirement.
pub struct Open {
    session: Loaded<PaymentSession>,
    payment: Loaded<Payment>,
    facts: PaymentCreated,
    requirement: Cited<PaymentRequirementAuthored>,
    entitlement: Loaded<Entitlement>,
}

impl<'a> Stages<'a> {
    /// The payment for that sale, nothing decided yet.
    pub fn begin(unit: Unit<'a>, shop: &'a Shop, sale: Sale, now: Timestamp) -> Self {
        let ids = Ids {
            session: new_id(),
            product: sale.offer.product,
            access_product: sale.offer.access_product,
            payment: new_id(),
            entitlement: new_id(),
            proof: new_id(),
            receipt: new_id(),
        };
        Stages { unit, shop, ids, subject_id: sale.buyer, number: sale.number, now }
    }

    /// From the session to access.
    pub fn all(&mut self) -> Result<(), BenchError> {
        let open = self.open()?;
        self.settle(open)
    }

    /// From the proof to access.
    pub fn settle(&mut self, mut open: Open) -> Result<(), BenchError> {
        let (proof, settlement) = self.prove(&open)?;
        self.grant(&mut open, proof, settlement)
    }

    /// Appends what was decided, and begins another unit. Returns the position after it.
    pub async fn commit(&mut self, log: &'a Log, context: &Context) -> Result<u64, BenchError> {
        let unit = std::mem::replace(&mut self.unit, Unit::new(log, context.clone()));
        Ok(unit.commit().await?.last_position + 1)
    }

    /// A webhook about the payment; `position` is that of what it tells.
    pub fn emit(&mut self, endpoint_id: EndpointId, position: u64) -> Result<DeliveryId, BenchError> {
        let source_event = new_id();
        let delivery_id = DeliveryId::of(source_event, endpoint_id);
        let mut delivery = self.unit.start::<WebhookDelivery>(stream(Category::WebhookDelivery, delivery_id));
        let emit = webhook_delivery::Emit {
            endpoint_id,
            event: WebhookEvent::PaymentConfirmed,
            source_event,
            source_position: position,
            subject_id: self.subject_id,
            body: "x".repeat(WEBHOOK_BYTES),
        };
        self.decide(&mut delivery, webhook_delivery::Command::Emit(Box::new(emit)), None)?;
        Ok(delivery_id)
    }

    /// The receiver has taken it.
    pub async fn deliver(&mut self, id: DeliveryId) -> Result<(), BenchError> {
        let mut delivery = self.unit.load::<WebhookDelivery>(stream(Category::WebhookDelivery, id)).await?;
        let attempt = webhook_delivery::Attempt {
            attempt: 1,
            answer: webhook_delivery::Answer::Status { code: 204, retry_after: None },
            duration_ms: 2,
            now: self.now,
            url: "http://127.0.0.1/".to_owned(),
            signatures: 1,
            response: None,
            jitter_permille: 0,
        };
        let cause = delivery.last_event;
        self.decide(&mut delivery, webhook_delivery::Command::RecordAttempt(Box::new(attempt)), cause).map(drop)
    }

    /// The streams that [`Stages::open`] began, as the log has them.
    pub async fn reopen(&self) -> Result<Open, BenchError> {
        let (session, payment, entitlement) = tokio::try_join!(
            self.unit.load::<PaymentSession>(stream(Category::PaymentSession, self.ids.session)),
            self.unit.load::<Payment>(stream(Category::Payment, self.ids.payment)),
            self.unit.load::<Entitlement>(stream(Category::Entitlement, self.ids.entitlement)),
        )?;
        let facts = payment.state.facts().ok_or_else(|| told("a payment has facts"))?.clone();
        let requirement = session.state.open().ok_or_else(|| told("a session is open"))?.requirement.clone();
        let authored = session.first(EventType::PaymentRequirementAuthored).ok_or_else(|| told("a session has a requirement"))?;
        Ok(Open { session, payment, facts, requirement: Cited::new(authored, requirement), entitlement })
    }

    fn decide<D: Decider>(&mut self, loaded: &mut Loaded<D>, command: D::Command, cause: Option<EventId>) -> Result<EventId, BenchError>
    where
        D::Rejection: std::fmt::Debug,
    {
        let decided = self.unit.decide(loaded, command, cause).map_err(|rejection| told(format!("{rejection:?}")))?;
        decided.last().copied().ok_or_else(|| told("a stage decided nothing"))
    }

    /// A session, its payment, its requirement and the entitlement that waits for it.
    pub fn open(&mut self) -> Result<Open, BenchError> {
        let (shop, expires_at, personal) = (self.shop, self.now.plus_seconds(1_800), customer(self.number));
        let mut session = self.unit.start::<PaymentSession>(stream(Category::PaymentSession, self.ids.session));
        let create = payment_session::Create {
            session_id: self.ids.session,
            app_id: shop.app_id,
            access_product_id: self.ids.access_product,
            product_id: self.ids.product,
            payment_id: self.ids.payment,
            entitlement_id: self.ids.entitlement,
            subject_id: self.subject_id,
            wallet: None,
            rail_id: RailId::SolanaUsdc,
            payment_protocol: None,
            amount: PRICE,
            expires_at,
            personal: personal.clone(),
        };
        let created = self.decide(&mut session, payment_session::Command::Create(Box::new(create)), None)?;
        let mut payment = self.unit.start::<Payment>(stream(Category::Payment, self.ids.payment));
        let create = payment::Command::Create(Box::new(self.new_payment(expires_at)));
        let payment_event = self.decide(&mut payment, create, Some(created))?;
        let facts = payment.state.facts().ok_or_else(|| told("a payment has facts"))?.clone();
        let author = payment_session::Command::AuthorRequirement {
            owner_id: shop.owner_id,
            session: Cited::new(created, session.state.session().ok_or_else(|| told("a session has facts"))?.clone()),
            payment: Box::new(facts.clone()),
            network: NETWORK.to_owned(),
            x402: None,
        };
        let authored = self.decide(&mut session, author, Some(payment_event))?;
        let requirement = session.state.open().ok_or_else(|| told("a session is open"))?.requirement.clone();
        let mut entitlement = self.unit.start::<Entitlement>(stream(Category::Entitlement, self.ids.entitlement));
        let pend = entitlement::Pend {
            entitlement_id: self.ids.entitlement,
            access_product_id: self.ids.access_product,
            product_id: self.ids.product,
            subject_id: self.subject_id,
            wallet: None,
            rail_id: RailId::SolanaUsdc,
            origin: EntitlementOrigin::Session { session_id: self.ids.session, payment_id: self.ids.payment },
            duration_days: 30,
            personal,
        };
        self.decide(&mut entitlement, entitlement::Command::Pend(Box::new(pend)), Some(authored))?;
        Ok(Open { session, payment, facts, requirement: Cited::new(authored, requirement), entitlement })
    }

    fn new_payment(&self, expires_at: Timestamp) -> payment::Create {
        let rate = ledger::fee::rate(&ledger::fee::LAUNCH, ledger::fee::Surface::Access(None));
        payment::Create {
            payment_id: self.ids.payment,
            product_id: self.ids.product,
            access_product_id: Some(self.ids.access_product),
            session_id: Some(self.ids.session),
            entitlement_id: Some(self.ids.entitlement),
            subject_id: self.subject_id,
            nonce: random_bytes(),
            asset: usdc(),
            amount: PRICE,
            fee_bps: rate.bps,
            fee_policy: rate.policy,
            merchant_wallet: wallet(),
            fee_wallet: Some(wallet()),
            payer_wallet: None,
            membership: Some(terms()),
            identity_required: false,
            place: None,
            quote: None,
            expires_at,
            fee_source: FeeSource::BuyerTransfer,
            personal: Personal::default(),
        }
    }

    fn prove(&mut self, open: &Open) -> Result<(Loaded<Proof>, Cited<SettlementEvidenced>), BenchError> {
        let (tx, payer, slot) = (TxSignature(random_bytes()), wallet(), 1_234);
        let mut proof = self.unit.start::<Proof>(stream(Category::Proof, self.ids.proof));
        let fingerprint = proof::Fingerprint {
            proof_id: self.ids.proof,
            rail_id: RailId::SolanaUsdc,
            network: NETWORK.to_owned(),
            signed: proof::Signed::Transaction(tx),
            x402: None,
            trigger: Trigger::Watcher,
            payment: open.facts.clone(),
            basis: proof::Basis::Requirement(Box::new(open.requirement.clone())),
        };
        let cause = open.payment.last_event;
        let fingerprinted = self.decide(&mut proof, proof::Command::Fingerprint(Box::new(fingerprint)), cause)?;
        let verification = proof::Verification {
            proof_event: fingerprinted,
            verifier: "bench".to_owned(),
            trigger: Trigger::Watcher,
            outcome: Outcome::Passed,
            reason: None,
            observed: Some(observed(&open.facts, payer, slot)?),
        };
        let verified = self.decide(&mut proof, proof::Command::RecordVerification(Box::new(verification)), Some(fingerprinted))?;
        let settle = proof::Settle {
            verification_event: verified,
            payment: open.facts.clone(),
            transfer_id: format!("{NETWORK}/{tx}"),
            payer,
            slot,
            merchant_amount: open.facts.merchant_amount,
            fee_amount: open.facts.fee_amount,
        };
        let settled = self.decide(&mut proof, proof::Command::Settle(Box::new(settle)), Some(verified))?;
        let settlement = proof.state.settled().ok_or_else(|| told("a proof is settled"))?.clone();
        Ok((proof, Cited::new(settled, settlement)))
    }

    fn receipt(&mut self, open: &Open, settlement: &Cited<SettlementEvidenced>) -> Result<Cited<ReceiptCreated>, BenchError> {
        let facts = receipt::ReceiptFacts {
            receipt_id: self.ids.receipt,
            payment: open.facts.clone(),
            settlement: settlement.clone(),
            network: NETWORK.to_owned(),
            issued_at: self.now,
        };
        let bytes = receipt::canonical_bytes(&facts);
        let create = receipt::Create {
            facts,
            receipt_hash: Hash32::of(&bytes),
            signature: self.shop.signer.sign(&bytes),
            kid: self.shop.signer.kid().to_owned(),
            credits_burned: 0,
        };
        let mut issued = self.unit.start::<Receipt>(stream(Category::Receipt, self.ids.receipt));
        let created = self.decide(&mut issued, receipt::Command::Create(Box::new(create)), Some(settlement.id))?;
        match &issued.state {
            Receipt::Issued(event) => Ok(Cited::new(created, (**event).clone())),
            _ => Err(told("a receipt is issued")),
        }
    }

    fn grant(&mut self, open: &mut Open, mut proof: Loaded<Proof>, settlement: Cited<SettlementEvidenced>) -> Result<(), BenchError> {
        let (shop, now) = (self.shop, self.now);
        let receipt = self.receipt(open, &settlement)?;
        let map = proof::Command::MapReceipt { settlement_event: settlement.id, receipt: Box::new(receipt.clone()) };
        let mapped = self.decide(&mut proof, map, Some(receipt.id))?;
        let Some(Event::ReceiptMapped(mapping)) = self.decided(mapped) else { return Err(told("a receipt is mapped")) };
        let confirm = payment::Command::Confirm { settlement: settlement.clone(), identity_session_id: None, paid_at: now, now };
        let confirmed = self.decide(&mut open.payment, confirm, Some(settlement.id))?;
        let Payment::Confirmed { confirmed: paid, .. } = &open.payment.state else { return Err(told("a payment is confirmed")) };
        let paid = (**paid).clone();
        let membership_id = MembershipId::of(self.ids.product, self.subject_id);
        let mut membership = self.unit.start::<Membership>(stream(Category::Membership, membership_id));
        let pay = membership::Pay {
            membership_id,
            access_product_id: Some(self.ids.access_product),
            subject_id: self.subject_id,
            terms: terms(),
            platform: Some(Platform::Telegram),
            personal: customer(self.number),
            payment: Cited::new(confirmed, paid.clone()),
            now,
        };
        self.decide(&mut membership, membership::Command::Pay(Box::new(pay)), Some(confirmed))?;
        let evidence = ReceiptEvidence {
            owner_id: shop.owner_id,
            livemode: true,
            session: open.session.state.session().ok_or_else(|| told("a session has facts"))?.clone(),
            requirement: open.requirement.event.clone(),
            proof: proof.state.proof().ok_or_else(|| told("a proof has facts"))?.clone(),
            settlement,
            payment: paid,
            receipt,
            mapped: Cited::new(mapped, mapping),
            membership_id: Some(membership_id),
        };
        let evidence = Evidence::Receipt(Box::new(evidence));
        let activate = entitlement::Activate { owner_id: shop.owner_id, livemode: true, evidence, current_end: None, now };
        let activated = self.decide(&mut open.entitlement, entitlement::Command::Activate(Box::new(activate)), Some(mapped))?;
        let Some(Event::EntitlementActivated(activation)) = self.decided(activated) else { return Err(told("access is granted")) };
        let confirm = payment_session::Command::Confirm { entitlement: Cited::new(activated, activation) };
        self.decide(&mut open.session, confirm, Some(activated)).map(|_| ())
    }

    /// The event that was decided with that id.
    fn decided(&self, id: EventId) -> Option<Event> {
        self.unit.events().find(|(decided, _, _)| *decided == id).map(|(_, _, event)| event.clone())
    }
}

/// What every payment is in.
pub fn usdc() -> Asset {
    Asset { symbol: "USDC".to_owned(), decimals: 6, mint: rails::solana::programs::USDC_MINT }
}

/// What every membership lasts.
pub fn terms() -> MembershipTerms {
    MembershipTerms { billing_interval_days: 30, grace_period_days: 3, renewal_reminder_offsets_days: vec![7, 2, 1] }
}

fn observed(facts: &PaymentCreated, payer: SolanaAddress, slot: u64) -> Result<ObservedPayment, BenchError> {
    let transfer = |account, received| ObservedTransfer { account, mint: facts.asset.mint, received };
    let fee_wallet = facts.fee_wallet.ok_or_else(|| told("the fee has a wallet"))?;
    Ok(ObservedPayment {
        slot,
        block_time: Some(1_700_000_000),
        payer: Some(payer),
        memo: Some(facts.memo()),
        transfers: vec![transfer(facts.merchant_wallet, facts.merchant_amount), transfer(fee_wallet, facts.fee_amount)],
    })
}
