//! Phantom's deep links for one payment: its keys, its links, and what the wallet answered.

use crate::{
    http::{
        problem::{Code, Problem},
        rejection,
    },
    state::Settings,
};
use events::{
    clock::random_bytes,
    log::{Context, Log},
    unit::{Loaded, Unit, load},
    vault::{Vault, VaultError},
    vocab::{
        bytes::SolanaAddress,
        event::{PaymentCreated, PhantomSessionConnected},
        id::{IdentitySessionId, PaymentId, PhantomSessionId},
        stream::{Actor, Category, StreamId},
        time::Timestamp,
        words::ActorKind,
    },
};
use ledger::{
    payment::Payment,
    phantom_session::{self, PhantomSession},
};
use rails::{
    phantom::{self, Channel, Cluster, DAPP_KEY_SECRET, DappKey, EncryptionKey, Nonce, NotPhantoms, Refusal, SESSION_SECRET, Sealed},
    solana::Network,
};
use serde::{Deserialize, Serialize};
use url::Url;
use utoipa::ToSchema;
use zeroize::Zeroizing;

/// The wallet's software, in events.
pub const WALLET_SOURCE: &str = "PHANTOM_MOBILE";

/// How a buyer on a phone reaches his wallet (RT-010).
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct PhantomMobile {
    /// Opens Phantom and asks it to connect.
    #[schema(example = "https://phantom.app/ul/v1/connect?...")]
    pub connect_url: String,
    /// The service's X25519 key for this payment, base58.
    pub dapp_public_key: String,
}

/// What Phantom appends to the redirect link, success or refusal.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct WalletAnswer {
    /// The nonce of `data`, base58.
    pub nonce: Option<String>,
    /// The encrypted answer, base58.
    pub data: Option<String>,
    /// Phantom's code when it refuses.
    pub error_code: Option<String>,
    /// Its words for it; not repeated.
    pub error_message: Option<String>,
}

/// The payment and its connection.
pub struct Connection {
    /// The payment.
    pub payment: Loaded<Payment>,
    /// What is to be paid.
    pub facts: PaymentCreated,
    /// Its Phantom session.
    pub session: Loaded<PhantomSession>,
    dapp: DappKey,
}

/// A connection that the wallet has answered on.
pub struct Connected {
    /// The wallet.
    pub wallet: SolanaAddress,
    /// The encrypted channel to it.
    pub channel: Channel,
    /// Its token.
    pub token: Zeroizing<String>,
}

/// Where the wallet comes back from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Step {
    /// The connect request.
    Connect,
    /// The message of that identity session.
    Message(IdentitySessionId),
    /// The payment's transaction.
    Transaction,
}

impl Step {
    /// The word in links.
    pub const fn as_str(self) -> &'static str {
        match self {
            Step::Connect => "connect",
            Step::Message(_) => "message",
            Step::Transaction => "transaction",
        }
    }
}

/// A fresh key for a payment, kept in the vault. Without the payment's event it is nobody's.
pub async fn new_key(vault: &Vault, payment: PaymentId) -> Result<DappKey, VaultError> {
    let key = DappKey::from_bytes(random_bytes());
    vault.put_secret(PhantomSessionId::of(payment).0, DAPP_KEY_SECRET, key.as_bytes()).await?;
    Ok(key)
}

/// Decides the session's beginning in the unit that creates its payment.
pub fn open(unit: &mut Unit<'_>, payment: &PaymentCreated, key: &DappKey) -> Result<(), Problem> {
    let phantom_session_id = PhantomSessionId::of(payment.payment_id);
    let mut session = unit.start::<PhantomSession>(StreamId::new(Category::PhantomSession, phantom_session_id));
    let command = phantom_session::Command::Open {
        phantom_session_id,
        payment_id: payment.payment_id,
        dapp_public_key: SolanaAddress(key.public().0),
        expires_at: payment.expires_at,
    };
    let decided = unit.decide(&mut session, command, None);
    decided.map(|_| ()).map_err(|refused| rejection::decided(refused.code(), refused))
}

/// The first link of a payment.
pub fn connect(settings: &Settings, slug: &str, payment: PaymentId, key: &DappKey) -> PhantomMobile {
    let app_url = format!("{}/p/{slug}", settings.public_web_url);
    let cluster = Network::parse(&settings.solana_network).ok().and_then(|network| Cluster::of(&network));
    let dapp = key.public();
    let connect_url = phantom::connect(&app_url, &dapp, &redirect_link(settings, payment, Step::Connect), cluster);
    PhantomMobile { connect_url, dapp_public_key: dapp.to_string() }
}

impl Connection {
    /// Reads a payment and its session, if its time is not over.
    pub async fn find(log: &Log, vault: &Vault, payment_id: PaymentId, now: Timestamp) -> Result<Self, Problem> {
        let payment = load::<Payment>(log, StreamId::new(Category::Payment, payment_id)).await.map_err(|error| rejection::read(&error))?;
        let facts = payment.state.facts().cloned().ok_or_else(|| Problem::of(Code::PaymentNotFound))?;
        match &payment.state {
            Payment::Expired { .. } => return Err(Problem::of(Code::PaymentExpired)),
            Payment::PendingSignature { .. } if now >= facts.expires_at => return Err(Problem::of(Code::PaymentExpired)),
            _ => {}
        }
        let id = PhantomSessionId::of(payment_id);
        let session = load::<PhantomSession>(log, StreamId::new(Category::PhantomSession, id)).await;
        let session = session.map_err(|error| rejection::read(&error))?;
        let key = vault.get_secret(id.0, DAPP_KEY_SECRET).await.map_err(|error| rejection::read(&error))?;
        let key = key.and_then(|key| <[u8; 32]>::try_from(key).ok()).filter(|_| session.state.opened().is_some());
        let dapp = key.map(DappKey::from_bytes).ok_or_else(missing)?;
        Ok(Connection { payment, facts, session, dapp })
    }

    /// The session's id.
    pub fn id(&self) -> PhantomSessionId {
        PhantomSessionId::of(self.facts.payment_id)
    }

    /// The service's public key.
    pub fn dapp(&self) -> EncryptionKey {
        self.dapp.public()
    }

    /// Reads the answer to the connect link.
    pub fn first_answer(&self, wallet_key: &str, answer: &WalletAnswer) -> Result<(EncryptionKey, phantom::Connected), Problem> {
        let sealed = sealed(answer)?;
        let key: EncryptionKey = wallet_key.parse().map_err(invalid("phantom_encryption_public_key"))?;
        let channel = self.dapp.channel(&key).map_err(invalid("phantom_encryption_public_key"))?;
        let plain = channel.open(&sealed).map_err(invalid("data"))?;
        phantom::connected(&plain).map(|connected| (key, connected)).map_err(invalid("data"))
    }

    /// The wallet and the channel to it, once it is connected.
    pub async fn connected(&self, vault: &Vault) -> Result<Connected, Problem> {
        let PhantomSessionConnected { wallet, phantom_public_key, .. } = *self.session.state.connected().ok_or_else(missing)?;
        let token = vault.get_secret(self.id().0, SESSION_SECRET).await.map_err(|error| rejection::read(&error))?;
        let token = token.and_then(|token| String::from_utf8(token).ok()).map(Zeroizing::new).ok_or_else(missing)?;
        let channel = self.dapp.channel(&EncryptionKey(phantom_public_key.0)).map_err(invalid("phantom_encryption_public_key"))?;
        Ok(Connected { wallet, channel, token })
    }

    /// The context of a buyer's own events on this payment.
    pub fn context(&self, request_id: &str) -> Context {
        Context {
            owner_id: self.payment.owner_id,
            livemode: self.payment.livemode.unwrap_or(true),
            actor: Actor { kind: ActorKind::Public, id: None },
            request_id: Some(request_id.to_owned()),
            correlation_id: self.payment.correlation_id.unwrap_or(self.facts.payment_id.0),
        }
    }
}

impl Connected {
    /// Decrypts an answer.
    pub fn open(&self, answer: &WalletAnswer) -> Result<Zeroizing<Vec<u8>>, Problem> {
        self.channel.open(&sealed(answer)?).map_err(invalid("data"))
    }
}

/// A nonce that no message had before.
pub fn nonce() -> Nonce {
    Nonce(random_bytes())
}

/// Where the wallet is to come back to: a route that leads on to the checkout page.
pub fn redirect_link(settings: &Settings, payment: PaymentId, step: Step) -> String {
    let link = format!("{}/v1/pay/phantom/return", settings.public_api_url);
    let Ok(mut url) = Url::parse(&link) else { return link };
    url.query_pairs_mut().append_pair("payment_id", &payment.to_string()).append_pair("step", step.as_str());
    if let Step::Message(session) = step {
        url.query_pairs_mut().append_pair("identity_session_id", &session.to_string());
    }
    url.into()
}

/// What is wrong with an answer, by its field.
pub fn invalid(field: &'static str) -> impl Fn(NotPhantoms) -> Problem {
    move |rule| Problem::field(Code::PhantomPayloadInvalid, field, rule.to_string())
}

fn sealed(answer: &WalletAnswer) -> Result<Sealed, Problem> {
    if let Some(code) = &answer.error_code {
        let refusal = Refusal::of(code);
        let mut problem = Problem::new(Code::PhantomRefused, format!("Phantom did not do it: {}", refusal.as_str()));
        problem.blockers = vec![refusal.as_str().to_owned()];
        return Err(problem);
    }
    let required = |field: &'static str, text: &Option<String>| text.clone().ok_or_else(|| invalid(field)(NotPhantoms("is required")));
    Sealed::parse(&required("nonce", &answer.nonce)?, &required("data", &answer.data)?).map_err(invalid("data"))
}

fn missing() -> Problem {
    Problem::of(Code::PhantomSessionMissing).next_action("Open the payment's phantom_mobile.connect_url first.")
}
