//! What a payment is for: the session, its payment and what is asked of x402 clients, all from the log.

use super::{Facilitator, FacilitatorError};
use events::{
    claims::Claim,
    log::Context,
    unit::{Loaded, load},
    vocab::{
        bytes::SolanaAddress,
        event::{EventType, PaymentCreated, PaymentRequirementAuthored},
        id::{OwnerId, SessionId},
        stream::{Actor, Category, StreamId},
        words::ActorKind,
    },
};
use ledger::{Cited, payment::Payment, payment_session::PaymentSession, x402::Accepts};
use rails::x402::{Asked, Reason, Refusal, Requirement, Version};
use std::fmt;

/// A session that an x402 payment is for.
pub struct Subject {
    /// Whose.
    pub owner: OwnerId,
    /// The session.
    pub session: Loaded<PaymentSession>,
    /// Its payment.
    pub payment: Loaded<Payment>,
    /// What is to be paid.
    pub facts: PaymentCreated,
    /// Its requirement, as stages cite it.
    pub requirement: Cited<PaymentRequirementAuthored>,
    /// What the transaction must do.
    pub asked: Asked,
}

impl fmt::Debug for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subject").field("session", &self.session.stream.id).finish_non_exhaustive()
    }
}

impl Facilitator {
    /// The x402 session whose payment has this memo.
    pub(super) async fn by_memo(&self, memo: &str) -> Result<Option<Subject>, FacilitatorError> {
        // Nothing longer is a memo of ours, and the claim's key is not for others.
        if !memo.starts_with("HILT:") || memo.len() > 64 {
            return Ok(None);
        }
        let Some(stream) = self.0.log.find_claim(&Claim::memo(memo)).await? else { return Ok(None) };
        let payment = load::<Payment>(&self.0.log, stream).await?;
        match payment.state.facts().and_then(|facts| facts.session_id) {
            Some(session) => self.session(session).await,
            None => Ok(None),
        }
    }

    /// The x402 session of that id.
    pub async fn session(&self, id: SessionId) -> Result<Option<Subject>, FacilitatorError> {
        let log = &self.0.log;
        let session = load::<PaymentSession>(log, StreamId::new(Category::PaymentSession, id)).await?;
        let Some(open) = session.state.open() else { return Ok(None) };
        let Some(x402) = open.requirement.x402.clone() else { return Ok(None) };
        let payment = load::<Payment>(log, StreamId::new(Category::Payment, open.session.payment_id)).await?;
        let facts = payment.state.facts().cloned().ok_or(FacilitatorError::Inconsistent)?;
        let event = session.first(EventType::PaymentRequirementAuthored).ok_or(FacilitatorError::Inconsistent)?;
        let requirement = Cited::new(event, open.requirement.clone());
        let accepts = Accepts::authored(&requirement.event, "").ok_or(FacilitatorError::Inconsistent)?;
        let asked = Asked {
            asset: accepts.asset,
            decimals: facts.asset.decimals,
            pay_to: accepts.pay_to,
            amount: accepts.amount,
            memo: facts.memo(),
            fee_payer: x402.fee_payer,
            payer: facts.payer_wallet,
        };
        let owner = session.owner_id.ok_or(FacilitatorError::Inconsistent)?;
        Ok(Some(Subject { owner, payment, facts, requirement, asked, session }))
    }

    /// What an x402 session's payment opens, which is sealed; `None` once the customer is erased.
    pub async fn resource(&self, session: SessionId) -> Result<Option<String>, FacilitatorError> {
        let events = self.0.log.read_stream(StreamId::new(Category::PaymentSession, session), 0).await?;
        let authored = events.iter().find(|event| event.envelope.event_type == EventType::PaymentRequirementAuthored);
        match authored {
            Some(event) => Ok(self.0.vault.open(event).await?.and_then(|personal| personal.resource)),
            None => Ok(None),
        }
    }

    /// What a session asks its x402 clients for, in the version's own words.
    pub(super) fn required(&self, subject: &Subject, version: Version) -> Requirement {
        let Asked { asset, pay_to, amount, memo, fee_payer, .. } = &subject.asked;
        Requirement {
            scheme: ledger::x402::SCHEME.to_owned(),
            network: version.network(&self.0.network).unwrap_or_default(),
            asset: asset.to_string(),
            pay_to: pay_to.to_string(),
            amount: Some(amount.to_string()),
            max_amount_required: Some(amount.to_string()),
            max_timeout_seconds: subject.requirement.event.x402.as_ref().map(|x402| u64::from(x402.max_timeout_seconds)),
            extra: Some(rails::x402::Extra { fee_payer: Some(fee_payer.to_string()), memo: Some(memo.clone()) }),
        }
    }

    /// Whether what a resource server says is required is what is stored.
    pub(super) fn is_stored(&self, subject: &Subject, required: &Requirement, version: Version) -> Result<(), Refusal> {
        let Asked { asset, pay_to, amount, fee_payer, .. } = &subject.asked;
        if version.network(&self.0.network).as_ref() != Some(&required.network) {
            return Err(Refusal::new(Reason::NetworkMismatch, "this facilitator is on another network"));
        }
        let Some(named) = required.fee_payer() else {
            return Err(Refusal::new(Reason::MissingFeePayer, "extra.feePayer is missing"));
        };
        let ours: SolanaAddress = self.fee_payer();
        if named != ours.to_string() {
            return Err(Refusal::new(Reason::FeePayerNotManaged, "extra.feePayer is no key of this facilitator"));
        }
        let timeout = subject.requirement.event.x402.as_ref().map(|x402| u64::from(x402.max_timeout_seconds));
        let same = [
            ("asset", required.asset == asset.to_string()),
            ("payTo", required.pay_to == pay_to.to_string()),
            ("amount", required.units() == Some(amount.units())),
            ("maxTimeoutSeconds", required.max_timeout_seconds.is_none() || required.max_timeout_seconds == timeout),
            // A key that was changed since the requirement was written.
            ("extra.feePayer", *fee_payer == ours),
        ];
        match same.into_iter().find(|(_, same)| !same) {
            Some((field, _)) => {
                Err(Refusal::new(Reason::InvalidRequirements, format!("paymentRequirements.{field} is not the stored requirement's")))
            }
            None => Ok(()),
        }
    }

    /// The envelope of what the facilitator appends for a payment.
    pub(super) fn context(&self, subject: &Subject, request_id: &str) -> Context {
        Context {
            owner_id: Some(subject.owner),
            livemode: subject.session.livemode.unwrap_or(true),
            actor: Actor { kind: ActorKind::Public, id: None },
            request_id: Some(request_id.to_owned()),
            correlation_id: subject.session.correlation_id.unwrap_or(subject.session.stream.id),
        }
    }
}
