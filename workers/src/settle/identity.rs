//! Which proof of identity a payment uses up (INV-66, Q-13). A read model says where to look; the session's stream decides.

use super::{SettleError, buyer, rejected};
use events::{
    log::Log,
    unit::{Loaded, load},
    vault::Vault,
    vocab::{
        bytes::SolanaAddress,
        event::{EventType, PaymentCreated},
        id::IdentitySessionId,
        personal::Personal,
        stream::{Category, StreamId},
        time::Timestamp,
    },
};
use ledger::identity_session::{IdentitySession, VALID_SECONDS};
use projections::Reader;

/// The reason for which a paid payment waits.
pub const MISSING: &str = "identity_verification_required";
/// A wallet has few unused proofs for one product; more are not looked at.
const CANDIDATES: u32 = 20;

/// What a payment needs in the way of identity.
pub enum Identity {
    /// Nothing.
    NotNeeded,
    /// A proof that there is not.
    Missing,
    /// This proof.
    Proven(Box<Proven>),
}

/// A proof of identity that may be used up.
pub struct Proven {
    /// Its session.
    pub session: Loaded<IdentitySession>,
    /// The identity.
    pub personal: Personal,
}

/// Where to look for what a payment needs.
pub struct Search<'a> {
    /// The log.
    pub log: &'a Log,
    /// Opens identities.
    pub vault: &'a Vault,
    /// Leads to proofs that nobody named.
    pub reader: &'a Reader,
    /// The payment.
    pub payment: &'a PaymentCreated,
    /// Who paid, as the chain shows it.
    pub payer: SolanaAddress,
    /// Now.
    pub now: Timestamp,
}

impl Search<'_> {
    /// The proof that the caller names, which must do; otherwise, where the payment needs one, the newest that does.
    pub async fn find(&self, named: Option<IdentitySessionId>) -> Result<Identity, SettleError> {
        if let Some(id) = named {
            return self.named(id).await;
        }
        if !self.payment.identity_required {
            return Ok(Identity::NotNeeded);
        }
        let said = buyer::of(self.log, self.vault, self.payment).await?;
        let since = self.now.plus_seconds(-VALID_SECONDS);
        let rows = projections::identity_sessions::verified(self.reader, self.payment.product_id, self.payer, since, CANDIDATES).await?;
        for row in rows {
            let proven = self.open(row.meta.id.into()).await?;
            if proven.session.state.usable(self.payment.product_id, self.payer, self.now).is_ok() && agree(&said, &proven.personal) {
                return Ok(Identity::Proven(Box::new(proven)));
            }
        }
        Ok(Identity::Missing)
    }

    async fn named(&self, id: IdentitySessionId) -> Result<Identity, SettleError> {
        let proven = self.open(id).await?;
        proven.session.state.usable(self.payment.product_id, self.payer, self.now).map_err(rejected!())?;
        let said = buyer::of(self.log, self.vault, self.payment).await?;
        match agree(&said, &proven.personal) {
            true => Ok(Identity::Proven(Box::new(proven))),
            false => Err(SettleError::Rejected { code: MISSING, detail: "the identity session is for another identity".into() }),
        }
    }

    async fn open(&self, id: IdentitySessionId) -> Result<Proven, SettleError> {
        let stream = StreamId::new(Category::IdentitySession, id);
        let session = load::<IdentitySession>(self.log, stream).await?;
        let events = self.log.read_stream(stream, 0).await?;
        let started = events.iter().find(|event| event.envelope.event_type == EventType::IdentitySessionStarted);
        let personal = match started {
            Some(started) => self.vault.open(started).await?.unwrap_or_default(),
            None => Personal::default(),
        };
        Ok(Proven { session, personal: Personal { text: None, ..personal } })
    }
}

/// A payment that was started for an identity takes a proof of that identity only.
fn agree(said: &Personal, proven: &Personal) -> bool {
    said.identity_value.is_none() || (&said.identity_type, &said.identity_value) == (&proven.identity_type, &proven.identity_value)
}
