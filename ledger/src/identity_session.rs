//! Identity sessions (TR-10, RT-014, RT-015): a wallet proves, by a signature, that it pays for an identity. The first payment that
//! needs the proof uses it up.

mod challenge;

pub use challenge::Challenge;

use crate::{Cited, check::rejections};
use ed25519_dalek::{Signature, VerifyingKey};
use events::{
    decider::Decider,
    vocab::{
        bytes::{Hash32, Signature64, SolanaAddress},
        event::{
            Event, IdentitySessionConsumed, IdentitySessionExpired, IdentitySessionRejected, IdentitySessionStarted,
            IdentitySessionVerified, PaymentConfirmed,
        },
        id::{IdentitySessionId, PaymentId, ProductId, SubjectId},
        personal::Personal,
        stream::Fact,
        time::Timestamp,
        words::IdentityType,
    },
};

/// How long a wallet has to sign.
pub const SIGN_SECONDS: i64 = 600;
/// How long a proof may wait for its payment. A payment that settles later needs a fresh one.
pub const VALID_SECONDS: i64 = 24 * 3_600;
/// Wrong signatures that are kept on record. Anyone may send more, and none of them keeps the right one from being accepted.
pub const RECORDED_REJECTIONS: u32 = 5;

/// An identity session.
#[derive(Clone, PartialEq, Debug, Default)]
pub enum IdentitySession {
    /// Not started.
    #[default]
    Absent,
    /// Waits for the signature.
    Pending {
        /// What is to be proved.
        started: Box<IdentitySessionStarted>,
        /// Wrong signatures on record.
        rejections: u32,
    },
    /// The wallet signed.
    Verified {
        /// What was proved.
        started: Box<IdentitySessionStarted>,
        /// When.
        verified_at: Timestamp,
    },
    /// A payment used it up.
    Consumed {
        /// What was proved.
        started: Box<IdentitySessionStarted>,
        /// When.
        verified_at: Timestamp,
        /// The payment.
        payment_id: PaymentId,
    },
    /// Nobody signed in time.
    Expired {
        /// What was to be proved.
        started: Box<IdentitySessionStarted>,
    },
}

/// What is asked of an identity session.
#[derive(Clone, PartialEq, Debug)]
pub enum Command {
    /// Begin, with the message that the wallet is to sign.
    Start(Box<Start>),
    /// The wallet's signature. A wrong one is recorded a few times ([`RECORDED_REJECTIONS`]).
    Complete {
        /// The wallet that is said to have signed.
        wallet: SolanaAddress,
        /// The message as it was shown.
        message: String,
        /// The signature over its UTF-8 bytes.
        signature: Signature64,
        /// Now.
        now: Timestamp,
    },
    /// Nobody signed in time.
    Expire {
        /// Now.
        now: Timestamp,
    },
    /// A payment uses it up.
    Consume {
        /// The payment's confirmation, which permits it.
        payment: Cited<PaymentConfirmed>,
        /// Now.
        now: Timestamp,
    },
}

/// See [`Command::Start`].
#[derive(Clone, PartialEq, Debug)]
pub struct Start {
    /// Its id.
    pub session_id: IdentitySessionId,
    /// What will be bought.
    pub product_id: ProductId,
    /// The person whose identity it is.
    pub subject_id: SubjectId,
    /// The wallet that will pay.
    pub wallet: SolanaAddress,
    /// The wallet's software.
    pub wallet_source: Option<String>,
    /// The kind of identity.
    pub identity_type: IdentityType,
    /// The identity, sealed.
    pub identity: Personal,
    /// What the wallet is to sign.
    pub message: String,
    /// When the time for that is over.
    pub expires_at: Timestamp,
}

rejections! {
    /// Why a command is refused.
    pub enum Rejection {
        /// There is no such session.
        NotFound = "identity_session_not_found", "there is no such identity session";
        /// The id is in use.
        AlreadyExists = "already_exists", "the identity session exists";
        /// Another wallet was to sign.
        WalletMismatch = "wallet_mismatch", "wallet_address: is not the wallet that this session was started with";
        /// Too late.
        Expired = "identity_session_expired", "the identity session has expired: start another";
        /// Not the wallet's signature over the message that the session asks to sign.
        InvalidSignature = "invalid_signature", "signed_message_b64: is not the wallet's signature over challenge_message";
        /// The time is not over.
        NotExpiredYet = "not_expired_yet", "the identity session has not expired yet";
        /// Verified, and so it does not end for want of a signature.
        AlreadyVerified = "conflict", "the identity session is verified";
        /// It was used by another payment.
        Consumed = "identity_session_consumed", "the identity session was used for another payment";
        /// Not verified, or too long ago.
        NotVerified = "identity_verification_required", "the identity session is not verified, or too long ago";
        /// It is about another product.
        ProductMismatch = "slug_mismatch", "the identity session is for another product";
        /// Another wallet paid than the one that signed (INV-66).
        PayerMismatch = "payer_wallet_mismatch", "the wallet that paid is not the one that signed";
    }
}

impl Decider for IdentitySession {
    type State = Self;
    type Command = Command;
    type Rejection = Rejection;

    fn decide(state: &Self, command: Command) -> Result<Vec<Fact>, Rejection> {
        use IdentitySession::{Absent, Consumed, Expired, Pending, Verified};
        match (state, command) {
            (Absent, Command::Start(start)) => Ok(vec![start.fact()]),
            (_, Command::Start(_)) => Err(Rejection::AlreadyExists),
            (Absent, _) => Err(Rejection::NotFound),

            (Pending { started, rejections }, Command::Complete { wallet, message, signature, now }) => {
                is_of(started, wallet)?;
                if now >= started.expires_at {
                    return Err(Rejection::Expired);
                }
                match proves(started, &message, &signature) {
                    Ok(()) => Ok(vec![IdentitySessionVerified { session_id: started.session_id, verified_at: now }.into()]),
                    Err(Rejection::InvalidSignature) if *rejections < RECORDED_REJECTIONS => Ok(vec![rejection(started)]),
                    Err(refused) => Err(refused),
                }
            }
            (Verified { started, .. } | Consumed { started, .. }, Command::Complete { wallet, message, signature, .. }) => {
                is_of(started, wallet)?;
                proves(started, &message, &signature).map(|()| vec![])
            }
            (Expired { started }, Command::Complete { wallet, .. }) => {
                is_of(started, wallet)?;
                Err(Rejection::Expired)
            }

            (Pending { started, .. }, Command::Expire { now }) => match now >= started.expires_at {
                true => Ok(vec![IdentitySessionExpired { session_id: started.session_id, expired_at: now }.into()]),
                false => Err(Rejection::NotExpiredYet),
            },
            (Expired { .. }, Command::Expire { .. }) => Ok(vec![]),
            (Verified { .. } | Consumed { .. }, Command::Expire { .. }) => Err(Rejection::AlreadyVerified),

            (Verified { started, .. }, Command::Consume { payment, now }) => {
                state.usable(payment.event.product_id, payment.event.payer_wallet, now)?;
                let (payment_id, payment_event) = (payment.event.payment_id, payment.id);
                Ok(vec![IdentitySessionConsumed { session_id: started.session_id, payment_id, payment_event }.into()])
            }
            (Consumed { payment_id, .. }, Command::Consume { payment, .. }) if *payment_id == payment.event.payment_id => Ok(vec![]),
            (Consumed { .. }, Command::Consume { .. }) => Err(Rejection::Consumed),
            (Pending { .. } | Expired { .. }, Command::Consume { .. }) => Err(Rejection::NotVerified),
        }
    }

    fn evolve(state: Self, event: &Event) -> Self {
        use IdentitySession::{Absent, Consumed, Expired, Pending, Verified};
        match (state, event) {
            (Absent, Event::IdentitySessionStarted(started)) => Pending { started: Box::new(started.clone()), rejections: 0 },
            (Pending { started, rejections }, Event::IdentitySessionRejected(_)) => Pending { started, rejections: rejections + 1 },
            (Pending { started, .. }, Event::IdentitySessionVerified(verified)) => Verified { started, verified_at: verified.verified_at },
            (Pending { started, .. }, Event::IdentitySessionExpired(_)) => Expired { started },
            (Verified { started, verified_at }, Event::IdentitySessionConsumed(used)) => {
                Consumed { started, verified_at, payment_id: used.payment_id }
            }
            (state, _) => state,
        }
    }
}

impl IdentitySession {
    /// What is to be proved, once that is known.
    pub fn started(&self) -> Option<&IdentitySessionStarted> {
        match self {
            IdentitySession::Absent => None,
            IdentitySession::Pending { started, .. }
            | IdentitySession::Verified { started, .. }
            | IdentitySession::Consumed { started, .. }
            | IdentitySession::Expired { started } => Some(started),
        }
    }

    /// When the wallet signed, if it did.
    pub fn verified_at(&self) -> Option<Timestamp> {
        match self {
            IdentitySession::Verified { verified_at, .. } | IdentitySession::Consumed { verified_at, .. } => Some(*verified_at),
            _ => None,
        }
    }

    /// Whether a payment of `payer` for `product` may use it now. In this order: used, not verified, another product, another wallet.
    pub fn usable(&self, product: ProductId, payer: SolanaAddress, now: Timestamp) -> Result<(), Rejection> {
        match self {
            IdentitySession::Absent => Err(Rejection::NotFound),
            IdentitySession::Consumed { .. } => Err(Rejection::Consumed),
            IdentitySession::Pending { .. } | IdentitySession::Expired { .. } => Err(Rejection::NotVerified),
            IdentitySession::Verified { verified_at, .. } if now >= verified_at.plus_seconds(VALID_SECONDS) => Err(Rejection::NotVerified),
            IdentitySession::Verified { started, .. } if started.product_id != product => Err(Rejection::ProductMismatch),
            IdentitySession::Verified { started, .. } if started.wallet != payer => Err(Rejection::PayerMismatch),
            IdentitySession::Verified { .. } => Ok(()),
        }
    }
}

impl Start {
    fn fact(self) -> Fact {
        let started = IdentitySessionStarted {
            session_id: self.session_id,
            product_id: self.product_id,
            subject_id: self.subject_id,
            wallet: self.wallet,
            wallet_source: self.wallet_source,
            identity_type: self.identity_type,
            message_hash: Hash32::of(&self.message),
            expires_at: self.expires_at,
        };
        Fact::sealed(started, self.subject_id, Personal { text: Some(self.message), ..self.identity })
    }
}

fn is_of(started: &IdentitySessionStarted, wallet: SolanaAddress) -> Result<(), Rejection> {
    if started.wallet == wallet { Ok(()) } else { Err(Rejection::WalletMismatch) }
}

/// `verify_strict`: no signature that another public key, or a small-order one, would also accept.
fn proves(started: &IdentitySessionStarted, message: &str, signature: &Signature64) -> Result<(), Rejection> {
    if Hash32::of(message) != started.message_hash {
        return Err(Rejection::InvalidSignature);
    }
    let wallet = VerifyingKey::from_bytes(&started.wallet.0).map_err(|_| Rejection::InvalidSignature)?;
    let signed = wallet.verify_strict(message.as_bytes(), &Signature::from_bytes(&signature.0));
    signed.map_err(|_| Rejection::InvalidSignature)
}

fn rejection(started: &IdentitySessionStarted) -> Fact {
    IdentitySessionRejected { session_id: started.session_id, reason: Rejection::InvalidSignature.code().to_owned() }.into()
}
