//! Whether a payment would do: everything that can be known without the chain, and then what the chain says to a trial.

use super::{Facilitator, FacilitatorError, subject::Subject};
use crate::settle::proof_id;
use events::{
    claims::Claim,
    vocab::{
        bytes::{Hash32, SolanaAddress, TxSignature},
        rail::RailId,
        stream::{Category, StreamId},
    },
};
use ledger::{
    payment::Payment,
    payment_session::PaymentSession,
    proof::{Signed, solana_fingerprint},
    requirement::canonical,
};
use rails::x402::{self, Payable, Presented, Reason, Refusal, Requirement, Version};
use serde_json::Value;

/// A payment, and what it is presented for.
pub struct Presentation {
    /// The payment.
    pub presented: Presented,
    /// What the resource server says it requires.
    pub required: Requirement,
}

/// A payment that fits its session.
pub(super) struct Examined {
    pub subject: Subject,
    pub payable: Payable,
    /// The id that the transaction has or will have.
    pub tx: TxSignature,
    pub standing: Standing,
}

/// Where the session's payment stands with regard to this transaction.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Standing {
    /// No transaction yet.
    Open,
    /// This one was sent.
    Sent,
    /// This one has paid.
    Paid,
}

/// What somebody brings as a proof, read as far as it can be.
pub struct Brought {
    /// The transaction, or the hash of what is none.
    pub signed: Signed,
    /// Of the message that the buyer signed.
    pub message_hash: Option<Hash32>,
    /// Why it can pay nothing.
    pub refusal: Option<(Refusal, Version)>,
}

impl Presentation {
    /// Reads a facilitator request's body.
    pub fn parse(body: &Value) -> Result<Self, Refusal> {
        let number = body.get("x402Version").and_then(Value::as_u64);
        if number.is_some_and(|number| Version::of(number).is_none()) {
            return Err(Refusal::new(Reason::InvalidVersion, "x402Version is 1 or 2"));
        }
        let payload = body.get("paymentPayload").ok_or_else(|| Refusal::new(Reason::InvalidPayload, "paymentPayload is missing"))?;
        let presented = Presented::parse(payload)?;
        if number.is_some_and(|number| number != presented.version.number()) {
            return Err(Refusal::new(Reason::InvalidVersion, "x402Version is not the payload's"));
        }
        let required = body.get("paymentRequirements");
        let required = required.ok_or_else(|| Refusal::new(Reason::InvalidRequirements, "paymentRequirements is missing"))?;
        Ok(Presentation { presented, required: Requirement::parse(required)? })
    }

    /// The version that the answer is in.
    pub fn version(body: &Value) -> Version {
        let number = body.get("x402Version").or_else(|| body.pointer("/paymentPayload/x402Version")).and_then(Value::as_u64);
        number.and_then(Version::of).unwrap_or(Version::V2)
    }
}

/// The rail is stopped, so that nothing is sent (INV-30).
pub(super) fn stopped(why: &str) -> Refusal {
    Refusal::new(Reason::InvalidState, format!("nothing is sent while the rail is stopped ({why}): come again when the stop is over"))
}

impl Facilitator {
    /// Whether the payment would be taken, and who pays.
    pub async fn verify(&self, presentation: &Presentation) -> Result<SolanaAddress, FacilitatorError> {
        let examined = self.examine(presentation).await?;
        let payer = examined.payable.payer;
        match examined.standing {
            // A resource that is served on this answer would be served twice for one payment.
            Standing::Paid => {
                let message = format!("settled before, by transaction {}; the entitlement check says what it opens", examined.tx);
                Err(Refusal::new(Reason::DuplicateSettlement, message).of(payer).into())
            }
            // A client that comes again while its transaction is under way is not to pay another time.
            Standing::Sent => Ok(payer),
            Standing::Open => {
                let _under_way = self.enter()?;
                self.simulate(&examined.payable).await?;
                Ok(payer)
            }
        }
    }

    /// Everything that the log and the transaction itself can tell.
    pub(super) async fn examine(&self, presentation: &Presentation) -> Result<Examined, FacilitatorError> {
        let Presentation { presented, required } = presentation;
        presented.fits(required)?;
        let unknown = || Refusal::new(Reason::InvalidRequirements, "extra.memo names no payment of this facilitator's ledger");
        let memo = required.memo().ok_or_else(unknown)?;
        let subject = self.by_memo(memo).await?.ok_or_else(unknown)?;
        self.is_stored(&subject, required, presented.version)?;
        let transaction = presented.transaction()?;
        let tx = self.sign(&transaction.message);
        if transaction.signers.first() == Some(&self.fee_payer()) && self.is_another_payments(&subject, tx).await? {
            return Err(FacilitatorError::Replayed { signed: transaction.is_buyers(), subject: Box::new(subject), tx });
        }
        let payable = x402::check(transaction, &subject.asked)?;
        let standing = self.standing(&subject, tx).map_err(|refusal| refusal.of(payable.payer))?;
        // What was sent before the stop is waited for; nothing new is sent during it.
        if standing == Standing::Open
            && let (_, Some(why)) = self.0.settler.standing().await?
        {
            return Err(stopped(why).of(payable.payer).into());
        }
        Ok(Examined { subject, payable, tx, standing })
    }

    fn standing(&self, subject: &Subject, tx: TxSignature) -> Result<Standing, Refusal> {
        let other = || Refusal::new(Reason::DuplicateSettlement, "another transaction is under way or has paid for this session");
        let over = |why: &str| Refusal::new(Reason::InvalidState, format!("the session {why}: ask for the resource again"));
        match &subject.payment.state {
            // Nobody is to pay for access that will not open.
            Payment::PendingSignature { .. } if matches!(subject.session.state, PaymentSession::Failed { .. }) => Err(over("is closed")),
            Payment::Confirmed { confirmed, .. } if confirmed.tx_signature == tx => Ok(Standing::Paid),
            Payment::PendingConfirmation { tx: sent, .. } if *sent == tx => Ok(Standing::Sent),
            Payment::Confirmed { .. } | Payment::PendingConfirmation { .. } => Err(other()),
            Payment::PendingSignature { facts, .. } if self.0.clock.now() < facts.expires_at => Ok(Standing::Open),
            Payment::PendingSignature { .. } | Payment::Expired { .. } => Err(over("has expired")),
            Payment::Failed { .. } | Payment::Absent => Err(over("waits for no payment")),
        }
    }

    /// Whether the transaction is a proof of another payment of this owner, or has settled one of anybody's (INV-5, DIS-35).
    async fn is_another_payments(&self, subject: &Subject, tx: TxSignature) -> Result<bool, FacilitatorError> {
        let network = &self.0.network;
        let own = StreamId::new(Category::Proof, proof_id(&subject.facts, &tx));
        let fingerprint = solana_fingerprint(network.as_str(), &tx);
        let claims = [
            Claim::fingerprint(subject.owner, true, RailId::SolanaUsdc, &fingerprint),
            Claim::transfer(RailId::SolanaUsdc, &network.transfer_id(&tx)),
        ];
        for claim in &claims {
            if self.0.log.find_claim(claim).await?.is_some_and(|holder| holder != own) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// What the chain says to a trial. The fee payer signs nothing before it.
    pub(super) async fn simulate(&self, payable: &Payable) -> Result<(), FacilitatorError> {
        let chain = self.0.settler.chain().ok_or(FacilitatorError::NoChain)?;
        let refused = |why: String| Refusal::new(Reason::SimulationFailed, why).of(payable.payer);
        if !chain.rpc.blockhash_valid(payable.blockhash).await? {
            return Err(refused("BlockhashNotFound: the transaction builds on a block that is too old".into()).into());
        }
        match chain.rpc.simulate(&payable.signed(TxSignature([0; 64]))).await? {
            Some(error) => Err(refused(format!("the chain would not carry it out: {error}")).into()),
            None => Ok(()),
        }
    }

    /// Reads what is brought as a proof of `subject`'s payment: a `PAYMENT-SIGNATURE` or `X-PAYMENT` value.
    pub fn read_proof(&self, subject: &Subject, text: &str) -> Brought {
        let unusable = |content: Hash32, message_hash, refusal, version| Brought {
            signed: Signed::Unusable(content),
            message_hash,
            refusal: Some((refusal, version)),
        };
        let Some(json) = x402::decode_header(text) else {
            let refusal = Refusal::new(Reason::InvalidPayload, "not base64 of a payment payload");
            return unusable(Hash32::of(text.trim()), None, refusal, Version::V2);
        };
        // Of its meaning and not of its spelling: base64 and JSON have many.
        let content = Hash32::of(canonical(&json));
        let presented = match Presented::parse(&json) {
            Ok(presented) => presented,
            Err(refusal) => return unusable(content, None, refusal, Version::V2),
        };
        let version = presented.version;
        let required = self.required(subject, version);
        let told = presented.fits(&required).and_then(|()| self.is_stored(subject, &required, version));
        if let Err(refusal) = told {
            return unusable(content, None, refusal, version);
        }
        let transaction = match presented.transaction() {
            Ok(transaction) => transaction,
            Err(refusal) => return unusable(content, None, refusal, version),
        };
        let message_hash = Hash32::of(&transaction.message);
        match x402::check(transaction, &subject.asked) {
            Ok(payable) => {
                let signed = Signed::Transaction(self.sign(&payable.message));
                Brought { signed, message_hash: Some(message_hash), refusal: None }
            }
            Err(refusal) => unusable(message_hash, Some(message_hash), refusal, version),
        }
    }
}
