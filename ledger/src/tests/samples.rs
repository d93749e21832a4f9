//! One live payment from session to entitlement, made by the deciders themselves, and the commands that made it.

use crate::{
    Cited, entitlement,
    evidence::{Evidence, ReceiptEvidence},
    membership, payment, payment_session, proof, receipt,
};
use events::{
    decider::Decider,
    vocab::{
        bytes::{Hash32, Signature64, SolanaAddress, TxSignature},
        event::*,
        id::*,
        money::{FeeBps, Minor},
        personal::Personal,
        rail::RailId,
        time::Timestamp,
        words::{FeeSource, Outcome, Trigger},
    },
};
use uuid::Uuid;

pub const NETWORK: &str = "solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp";

pub fn id<T: From<Uuid>>(n: u128) -> T {
    Uuid::from_u128(n).into()
}
pub fn wallet(n: u8) -> SolanaAddress {
    SolanaAddress([n; 32])
}
pub fn tx(n: u8) -> TxSignature {
    TxSignature([n; 64])
}
/// `seconds` after the tests' beginning of time.
pub fn at(seconds: i64) -> Timestamp {
    Timestamp::from_micros(1_800_000_000_000_000).plus_seconds(seconds)
}
pub fn minor(units: u64) -> Minor {
    Minor::new(units).unwrap()
}
pub fn customer() -> Personal {
    Personal { external_customer_id: Some("cust_123".into()), ..Personal::default() }
}
pub fn usdc() -> Asset {
    Asset { symbol: "USDC".into(), decimals: 6, mint: wallet(9) }
}
pub const TERMS: MembershipTerms =
    MembershipTerms { billing_interval_days: 30, grace_period_days: 3, renewal_reminder_offsets_days: Vec::new() };

pub fn session_create() -> payment_session::Create {
    payment_session::Create {
        session_id: id(1),
        app_id: id(2),
        access_product_id: id(3),
        product_id: id(4),
        payment_id: id(5),
        entitlement_id: id(6),
        subject_id: id(7),
        wallet: None,
        rail_id: RailId::SolanaUsdc,
        payment_protocol: None,
        amount: 25_000_000,
        expires_at: at(1_800),
        personal: customer(),
    }
}

pub fn payment_create() -> payment::Create {
    payment::Create {
        payment_id: id(5),
        product_id: id(4),
        access_product_id: Some(id(3)),
        session_id: Some(id(1)),
        entitlement_id: Some(id(6)),
        subject_id: id(7),
        nonce: [0xab; 16],
        asset: usdc(),
        amount: 25_000_000,
        fee_bps: FeeBps::new(100).unwrap(),
        fee_policy: "hilt_pay_api_no_plan".into(),
        merchant_wallet: wallet(1),
        fee_wallet: Some(wallet(2)),
        payer_wallet: None,
        membership: Some(TERMS),
        identity_required: false,
        place: None,
        quote: None,
        expires_at: at(1_800),
        fee_source: FeeSource::BuyerTransfer,
        personal: Personal::default(),
    }
}

pub fn pend() -> entitlement::Pend {
    entitlement::Pend {
        entitlement_id: id(6),
        access_product_id: id(3),
        product_id: id(4),
        subject_id: id(7),
        wallet: None,
        rail_id: RailId::SolanaUsdc,
        origin: EntitlementOrigin::Session { session_id: id(1), payment_id: id(5) },
        duration_days: 30,
        personal: customer(),
    }
}

pub fn observed() -> ObservedPayment {
    ObservedPayment { slot: 77, block_time: None, payer: Some(wallet(3)), memo: None, transfers: vec![] }
}

/// What `command` yields after `events`, which must be one event, added to them.
fn step<D: Decider<Rejection: std::fmt::Debug>>(events: &mut Vec<Event>, command: D::Command) -> Event {
    let facts = D::decide(&D::fold(&*events), command).expect("the happy path is allowed");
    events.extend(facts.iter().map(|fact| fact.event.clone()));
    events.last().expect("the happy path yields events").clone()
}

macro_rules! payload {
    ($event:expr, $variant:ident) => {
        match $event {
            Event::$variant(payload) => payload,
            other => panic!("expected {}, found {other:?}", stringify!($variant)),
        }
    };
}
pub(crate) use payload;

/// Everything that one live payment leaves in the log.
#[derive(Clone)]
pub struct Live {
    pub session: PaymentSessionCreated,
    pub requirement: PaymentRequirementAuthored,
    pub payment: PaymentCreated,
    pub pended: EntitlementPended,
    pub proof: ProofFingerprinted,
    pub passed: VerificationAttempted,
    pub settlement: SettlementEvidenced,
    pub receipt: ReceiptCreated,
    pub mapped: ReceiptMapped,
    pub confirmed: PaymentConfirmed,
    pub membership: MembershipActivated,
}

/// Event ids of the stages.
pub const SESSION_EVENT: u128 = 100;
pub const REQUIREMENT_EVENT: u128 = 101;
pub const PROOF_EVENT: u128 = 102;
pub const VERIFICATION_EVENT: u128 = 103;
pub const SETTLEMENT_EVENT: u128 = 104;
pub const RECEIPT_EVENT: u128 = 105;
pub const MAPPED_EVENT: u128 = 106;
pub const CONFIRMED_EVENT: u128 = 107;
pub const ACTIVATED_EVENT: u128 = 108;
pub const OWNER: u128 = 50;

pub fn fingerprint(payment: &PaymentCreated, requirement: &PaymentRequirementAuthored) -> proof::Fingerprint {
    proof::Fingerprint {
        proof_id: id(8),
        rail_id: RailId::SolanaUsdc,
        network: NETWORK.into(),
        signed: proof::Signed::Transaction(tx(1)),
        x402: None,
        trigger: Trigger::Proof,
        payment: payment.clone(),
        basis: proof::Basis::Requirement(Box::new(Cited::new(id(REQUIREMENT_EVENT), requirement.clone()))),
    }
}

pub fn look(trigger: Trigger, outcome: Outcome, reason: Option<&str>) -> proof::Command {
    proof::Command::RecordVerification(Box::new(proof::Verification {
        proof_event: id(PROOF_EVENT),
        verifier: "solana_rpc".into(),
        trigger,
        outcome,
        reason: reason.map(str::to_owned),
        observed: (outcome == Outcome::Passed).then(observed),
    }))
}

pub fn settle(payment: &PaymentCreated) -> proof::Settle {
    proof::Settle {
        verification_event: id(VERIFICATION_EVENT),
        payment: payment.clone(),
        transfer_id: format!("{NETWORK}/{}", tx(1)),
        payer: wallet(3),
        slot: 77,
        merchant_amount: payment.merchant_amount,
        fee_amount: payment.fee_amount,
    }
}

pub fn receipt_facts(payment: &PaymentCreated, settlement: &SettlementEvidenced) -> receipt::ReceiptFacts {
    receipt::ReceiptFacts {
        receipt_id: id(10),
        payment: payment.clone(),
        settlement: Cited::new(id(SETTLEMENT_EVENT), settlement.clone()),
        network: NETWORK.into(),
        issued_at: at(60),
    }
}

pub fn receipt_create(facts: receipt::ReceiptFacts) -> receipt::Create {
    let receipt_hash = Hash32::of(receipt::canonical_bytes(&facts));
    receipt::Create { facts, receipt_hash, signature: Signature64([5; 64]), kid: "k1".into(), credits_burned: 0 }
}

impl Live {
    pub fn run() -> Self {
        let mut events = Vec::new();
        let created = step::<payment_session::PaymentSession>(&mut events, payment_session::Command::Create(Box::new(session_create())));
        let session = payload!(created, PaymentSessionCreated);
        let created = step::<payment::Payment>(&mut vec![], payment::Command::Create(Box::new(payment_create())));
        let payment = payload!(created, PaymentCreated);
        let author = payment_session::Command::AuthorRequirement {
            owner_id: id(OWNER),
            session: Cited::new(id(SESSION_EVENT), session.clone()),
            payment: Box::new(payment.clone()),
            network: NETWORK.into(),
            x402: None,
        };
        let requirement = payload!(step::<payment_session::PaymentSession>(&mut events, author), PaymentRequirementAuthored);
        let pended = step::<entitlement::Entitlement>(&mut vec![], entitlement::Command::Pend(Box::new(pend())));

        let mut events = Vec::new();
        let new = proof::Command::Fingerprint(Box::new(fingerprint(&payment, &requirement)));
        let proof = payload!(step::<proof::Proof>(&mut events, new), ProofFingerprinted);
        let passed = step::<proof::Proof>(&mut events, look(Trigger::Proof, Outcome::Passed, None));
        let settled = step::<proof::Proof>(&mut events, proof::Command::Settle(Box::new(settle(&payment))));
        let settlement = payload!(settled, SettlementEvidenced);
        let create = receipt::Command::Create(Box::new(receipt_create(receipt_facts(&payment, &settlement))));
        let receipt = payload!(step::<receipt::Receipt>(&mut vec![], create), ReceiptCreated);
        let map = proof::Command::MapReceipt {
            settlement_event: id(SETTLEMENT_EVENT),
            receipt: Box::new(Cited::new(id(RECEIPT_EVENT), receipt.clone())),
        };
        let mapped = payload!(step::<proof::Proof>(&mut events, map), ReceiptMapped);

        let confirm = payment::Command::Confirm {
            settlement: Cited::new(id(SETTLEMENT_EVENT), settlement.clone()),
            identity_session_id: None,
            paid_at: at(30),
            now: at(60),
        };
        let confirmed = step::<payment::Payment>(&mut vec![Event::from(payment.clone())], confirm);
        let confirmed = payload!(confirmed, PaymentConfirmed);
        let pay = membership::Command::Pay(Box::new(pay(&confirmed)));
        let membership = payload!(step::<membership::Membership>(&mut vec![], pay), MembershipActivated);
        Live {
            session,
            requirement,
            payment,
            pended: payload!(pended, EntitlementPended),
            proof,
            passed: payload!(passed, VerificationAttempted),
            settlement,
            receipt,
            mapped,
            confirmed,
            membership,
        }
    }

    pub fn evidence(&self) -> ReceiptEvidence {
        ReceiptEvidence {
            owner_id: id(OWNER),
            livemode: true,
            session: self.session.clone(),
            requirement: self.requirement.clone(),
            proof: self.proof.clone(),
            settlement: Cited::new(id(SETTLEMENT_EVENT), self.settlement.clone()),
            payment: self.confirmed.clone(),
            receipt: Cited::new(id(RECEIPT_EVENT), self.receipt.clone()),
            mapped: Cited::new(id(MAPPED_EVENT), self.mapped.clone()),
            membership_id: Some(self.membership.membership_id),
        }
    }

    pub fn activate(&self) -> entitlement::Activate {
        entitlement::Activate {
            owner_id: id(OWNER),
            livemode: true,
            evidence: Evidence::Receipt(Box::new(self.evidence())),
            current_end: None,
            now: at(60),
        }
    }
}

pub fn pay(confirmed: &PaymentConfirmed) -> membership::Pay {
    membership::Pay {
        membership_id: MembershipId::of(confirmed.product_id, id(7)),
        access_product_id: Some(id(3)),
        subject_id: id(7),
        terms: TERMS,
        platform: None,
        personal: Personal::default(),
        payment: Cited::new(id(CONFIRMED_EVENT), confirmed.clone()),
        now: at(60),
    }
}
