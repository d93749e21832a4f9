//! Phantom deep-link sessions (OBJ-05, RT-020..024): one for a payment, as long as the payment's own time.

use crate::check::rejections;
use events::{
    decider::Decider,
    vocab::{
        bytes::{SolanaAddress, TxSignature},
        event::{Event, PhantomMessageSigned, PhantomSessionConnected, PhantomSessionOpened, PhantomTransactionSigned},
        id::{IdentitySessionId, PaymentId, PhantomSessionId},
        stream::Fact,
        time::Timestamp,
    },
};

/// How often a wallet may connect to one payment. A buyer may tap the link again; a script may not fill the log.
pub const CONNECTIONS: u32 = 8;
/// How many transactions may be signed for one payment: a transaction that was not sent in time is dead, and another is built.
pub const TRANSACTIONS: usize = 8;

/// A Phantom session.
#[derive(Clone, PartialEq, Debug, Default)]
pub enum PhantomSession {
    /// Not opened.
    #[default]
    Absent,
    /// The wallet has not answered.
    Opened {
        /// For which payment, with which key.
        opened: PhantomSessionOpened,
    },
    /// The wallet has answered.
    Connected {
        /// For which payment, with which key.
        opened: PhantomSessionOpened,
        /// The wallet, as it last answered.
        connected: PhantomSessionConnected,
        /// How often it connected.
        connections: u32,
        /// Identity sessions whose message it signed.
        messages: Vec<IdentitySessionId>,
        /// Transactions that it signed.
        transactions: Vec<TxSignature>,
    },
}

/// What is asked of a Phantom session.
#[derive(Clone, PartialEq, Debug)]
pub enum Command {
    /// Open it with the payment.
    Open {
        /// Its id.
        phantom_session_id: PhantomSessionId,
        /// The payment.
        payment_id: PaymentId,
        /// The service's X25519 key for it.
        dapp_public_key: SolanaAddress,
        /// The payment's end.
        expires_at: Timestamp,
    },
    /// The wallet answered to the connect link.
    Connect {
        /// The wallet's X25519 key.
        phantom_public_key: SolanaAddress,
        /// The wallet.
        wallet: SolanaAddress,
        /// The only wallet that may pay, when the payment names one.
        payer_wallet: Option<SolanaAddress>,
        /// Now.
        now: Timestamp,
    },
    /// It signed an identity session's message.
    SignMessage {
        /// The identity session.
        identity_session_id: IdentitySessionId,
    },
    /// It signed the payment's transaction.
    SignTransaction {
        /// The transaction.
        tx: TxSignature,
    },
}

rejections! {
    /// Why a command is refused.
    pub enum Rejection {
        /// Not opened, or the wallet has not connected.
        Missing = "phantom_session_missing", "Phantom is not connected to this payment: open connect_url first";
        /// The payment has another session.
        AlreadyExists = "already_exists", "the payment has a Phantom session";
        /// The payment's time is over.
        Expired = "payment_expired", "the payment session has expired";
        /// Another wallet than the one that was named (INV-66).
        PayerWalletMismatch = "payer_wallet_mismatch", "the connected wallet is not the wallet that this payment was started with";
        /// Connected or signed too often.
        TooOften = "payment_finished", "Phantom was used too often for this payment: start another";
    }
}

impl Decider for PhantomSession {
    type State = Self;
    type Command = Command;
    type Rejection = Rejection;

    fn decide(state: &Self, command: Command) -> Result<Vec<Fact>, Rejection> {
        use PhantomSession::{Absent, Connected, Opened};
        match (state, command) {
            (Absent, Command::Open { phantom_session_id, payment_id, dapp_public_key, expires_at }) => {
                Ok(vec![PhantomSessionOpened { phantom_session_id, payment_id, dapp_public_key, expires_at }.into()])
            }
            (Opened { .. } | Connected { .. }, Command::Open { .. }) => Err(Rejection::AlreadyExists),
            (Absent, _) => Err(Rejection::Missing),

            (Opened { opened } | Connected { opened, .. }, Command::Connect { phantom_public_key, wallet, payer_wallet, now }) => {
                if now >= opened.expires_at {
                    return Err(Rejection::Expired);
                }
                if payer_wallet.is_some_and(|named| named != wallet) {
                    return Err(Rejection::PayerWalletMismatch);
                }
                let answer = PhantomSessionConnected { phantom_session_id: opened.phantom_session_id, phantom_public_key, wallet };
                match state {
                    Connected { connected, .. } if *connected == answer => Ok(vec![]),
                    Connected { connections, .. } if *connections >= CONNECTIONS => Err(Rejection::TooOften),
                    _ => Ok(vec![answer.into()]),
                }
            }
            (Opened { .. }, Command::SignMessage { .. } | Command::SignTransaction { .. }) => Err(Rejection::Missing),

            (Connected { opened, messages, .. }, Command::SignMessage { identity_session_id }) => {
                match messages.contains(&identity_session_id) {
                    true => Ok(vec![]),
                    false => Ok(vec![PhantomMessageSigned { phantom_session_id: opened.phantom_session_id, identity_session_id }.into()]),
                }
            }
            (Connected { opened, transactions, .. }, Command::SignTransaction { tx }) => match transactions.contains(&tx) {
                true => Ok(vec![]),
                false if transactions.len() >= TRANSACTIONS => Err(Rejection::TooOften),
                false => Ok(vec![PhantomTransactionSigned { phantom_session_id: opened.phantom_session_id, tx_signature: tx }.into()]),
            },
        }
    }

    fn evolve(state: Self, event: &Event) -> Self {
        use PhantomSession::{Absent, Connected, Opened};
        match (state, event) {
            (Absent, Event::PhantomSessionOpened(opened)) => Opened { opened: opened.clone() },
            (Opened { opened }, Event::PhantomSessionConnected(connected)) => {
                Connected { opened, connected: connected.clone(), connections: 1, messages: Vec::new(), transactions: Vec::new() }
            }
            (Connected { opened, connections, messages, transactions, .. }, Event::PhantomSessionConnected(connected)) => {
                Connected { opened, connected: connected.clone(), connections: connections + 1, messages, transactions }
            }
            (Connected { opened, connected, connections, mut messages, transactions }, Event::PhantomMessageSigned(signed)) => {
                messages.push(signed.identity_session_id);
                Connected { opened, connected, connections, messages, transactions }
            }
            (Connected { opened, connected, connections, messages, mut transactions }, Event::PhantomTransactionSigned(signed)) => {
                transactions.push(signed.tx_signature);
                Connected { opened, connected, connections, messages, transactions }
            }
            (state, _) => state,
        }
    }
}

impl PhantomSession {
    /// For which payment and with which key, once that is known.
    pub fn opened(&self) -> Option<&PhantomSessionOpened> {
        match self {
            PhantomSession::Absent => None,
            PhantomSession::Opened { opened } | PhantomSession::Connected { opened, .. } => Some(opened),
        }
    }
    /// The wallet, if it is connected.
    pub fn connected(&self) -> Option<&PhantomSessionConnected> {
        match self {
            PhantomSession::Connected { connected, .. } => Some(connected),
            _ => None,
        }
    }
}
