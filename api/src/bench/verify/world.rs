//! A log of whole payments, made by the deciders that the service uses: each from its session to access, in one append.

use super::super::scratch::BenchError;
use events::{
    clock::{new_id, random_bytes},
    decider::Decider,
    log::{Context, Log},
    proof::Checkpointer,
    unit::{Loaded, Unit},
    vault::{KeyPurpose, Signer},
    vocab::{
        bytes::{Hash32, SolanaAddress, TxSignature},
        event::{
            Asset, EntitlementOrigin, Event, MembershipTerms, ObservedPayment, ObservedTransfer, PaymentCreated,
            PaymentRequirementAuthored, ReceiptCreated, SettlementEvidenced,
        },
        id::*,
        personal::Personal,
        rail::RailId,
        stream::{Actor, Category, StreamId},
        time::Timestamp,
        words::{FeeSource, Outcome, Platform, Trigger},
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
};
use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};
use uuid::Uuid;

const NETWORK: &str = "solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp";
const PRICE: u64 = 25_000_000;
/// The name of the log in its checkpoints.
const ORIGIN: &str = "hilt.bench/log";
/// How many append at the same time.
const CLIENTS: usize = 64;
/// Buyers, each of many payments.
const BUYERS: usize = 100;
/// Payments between two signed checkpoints.
const SIGNED_EVERY: u64 = 5_000;

/// What the payments have in common.
struct Shop {
    owner_id: OwnerId,
    app_id: AppId,
    access_product_id: AccessProductId,
    buyers: Vec<SubjectId>,
    signer: Signer,
}

/// Fills `log` with payments, until it has `events` events at least; signs it now and then, and at its end. Returns the verifier key.
pub async fn fill(log: &Log, events: u64) -> Result<String, BenchError> {
    let owner_id = new_id();
    let mut buyers = Vec::new();
    for _ in 0..BUYERS {
        buyers.push(log.vault().new_subject(owner_id).await.map_err(told)?);
    }
    let signer = log.vault().signer(KeyPurpose::Receipt).await.map_err(told)?;
    let shop = Arc::new(Shop { owner_id, app_id: new_id(), access_product_id: new_id(), buyers, signer });
    let checkpointer = Checkpointer::new(log.clone(), ORIGIN);
    pay(log, &shop, 0).await?;
    let each = log.head().await?.next_position;
    let (next, last) = (Arc::new(AtomicU64::new(1)), events.div_ceil(each.max(1)));
    let clients = (0..CLIENTS).map(|_| {
        let (log, shop, next, checkpointer) = (log.clone(), shop.clone(), next.clone(), checkpointer.clone());
        tokio::spawn(async move {
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= last {
                    return Ok::<_, BenchError>(());
                }
                pay(&log, &shop, number).await?;
                if number.is_multiple_of(SIGNED_EVERY) {
                    checkpointer.sign().await.map_err(told)?;
                }
            }
        })
    });
    for client in clients.collect::<Vec<_>>() {
        client.await.map_err(told)??;
    }
    checkpointer.sign().await.map_err(told)?;
    Ok(checkpointer.vkey().await.map_err(told)?.to_string())
}

fn told(error: impl std::fmt::Display) -> BenchError {
    BenchError::Client(error.to_string())
}

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

/// One payment, of a product that only it is for, so that no stream is read.
async fn pay(log: &Log, shop: &Shop, number: u64) -> Result<(), BenchError> {
    let context = Context {
        owner_id: Some(shop.owner_id),
        livemode: true,
        actor: Actor::system("bench"),
        request_id: Some("req_0123456789abcdef".to_owned()),
        correlation_id: new_id(),
    };
    let subject_id = shop.buyers[usize::try_from(number).unwrap_or(0) % shop.buyers.len()];
    let ids = Ids { session: new_id(), product: new_id(), payment: new_id(), entitlement: new_id(), proof: new_id(), receipt: new_id() };
    let mut stages = Stages { unit: Unit::new(log, context), shop, ids, subject_id, number, now: log.clock().now() };
    stages.all()?;
    stages.unit.commit().await?;
    Ok(())
}

struct Ids {
    session: SessionId,
    product: ProductId,
    payment: PaymentId,
    entitlement: EntitlementId,
    proof: ProofId,
    receipt: ReceiptId,
}

struct Stages<'a> {
    unit: Unit<'a>,
    shop: &'a Shop,
    ids: Ids,
    subject_id: SubjectId,
    number: u64,
    now: Timestamp,
}

/// A session with its payment and requirement.
struct Open {
    session: Loaded<PaymentSession>,
    payment: Loaded<Payment>,
    facts: PaymentCreated,
    requirement: Cited<PaymentRequirementAuthored>,
    entitlement: Loaded<Entitlement>,
}

impl Stages<'_> {
    fn all(&mut self) -> Result<(), BenchError> {
        let mut open = self.open()?;
        let (proof, settlement) = self.prove(&open)?;
        self.grant(&mut open, proof, settlement)
    }

    fn decide<D: Decider>(&mut self, loaded: &mut Loaded<D>, command: D::Command, cause: Option<EventId>) -> Result<EventId, BenchError>
    where
        D::Rejection: std::fmt::Debug,
    {
        let decided = self.unit.decide(loaded, command, cause).map_err(|rejection| told(format!("{rejection:?}")))?;
        decided.last().copied().ok_or_else(|| told("a stage decided nothing"))
    }

    fn open(&mut self) -> Result<Open, BenchError> {
        let (shop, expires_at, personal) = (self.shop, self.now.plus_seconds(1_800), customer(self.number));
        let mut session = self.unit.start::<PaymentSession>(stream(Category::PaymentSession, self.ids.session));
        let create = payment_session::Create {
            session_id: self.ids.session,
            app_id: shop.app_id,
            access_product_id: shop.access_product_id,
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
            access_product_id: shop.access_product_id,
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
            access_product_id: Some(self.shop.access_product_id),
            session_id: Some(self.ids.session),
            entitlement_id: Some(self.ids.entitlement),
            subject_id: self.subject_id,
            nonce: random_bytes(),
            asset: Asset { symbol: "USDC".to_owned(), decimals: 6, mint: rails::solana::programs::USDC_MINT },
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
            access_product_id: Some(shop.access_product_id),
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

fn terms() -> MembershipTerms {
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
