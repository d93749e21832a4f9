//! One payment's whole history, and more, as events; and how to fold them without a database.

mod later;

use crate::runner::{Applied, Keys, Projection, Row as _, Rows};
use events::{
    clock::new_id,
    codec,
    vocab::{
        bytes::{Hash32, Signature64, SolanaAddress, TxSignature},
        event::*,
        id::*,
        money::{FeeBps, Minor},
        personal::Personal,
        rail::{Mode, RailId},
        stream::{Actor, Category, Envelope, Recorded, StreamId},
        time::Timestamp,
        words::*,
    },
};
use std::collections::BTreeMap;
use uuid::Uuid;

/// 2027-01-15T08:00:00Z, when samples begin.
pub const START: Timestamp = Timestamp::from_micros(1_800_000_000_000_000);

/// An event, where it belongs, and the personal data to seal beside it.
#[derive(Clone, Debug)]
pub struct Written {
    /// Its stream.
    pub stream: StreamId,
    /// Its identity.
    pub event_id: EventId,
    /// What happened.
    pub event: Event,
    /// Whose personal data, and the data.
    pub personal: Option<(SubjectId, Personal)>,
}

/// The ids of one sample: a merchant's set-up and one payment of it.
#[derive(Clone, Copy, Debug)]
#[allow(missing_docs, reason = "the names are the vocabulary's")]
pub struct Sample {
    pub owner: OwnerId,
    pub subject: SubjectId,
    pub product: ProductId,
    pub app: AppId,
    pub access_product: AccessProductId,
    pub setting: RailSettingId,
    pub session: SessionId,
    pub payment: PaymentId,
    pub entitlement: EntitlementId,
    pub proof: ProofId,
    pub receipt: ReceiptId,
    pub membership: MembershipId,
    pub ticket: TicketId,
    pub endpoint: EndpointId,
    pub delivery: DeliveryId,
    pub key: ApiKeyId,
    pub setup: SetupIntentId,
    pub tx: TxSignature,
    pub wallet: SolanaAddress,
}

pub fn hash(of: impl AsRef<[u8]>) -> Hash32 {
    Hash32::of(of)
}
fn amount(units: u64) -> Minor {
    Minor::new(units).unwrap_or(Minor::ZERO)
}

impl Sample {
    /// A sample of a new merchant and a new person.
    pub fn new() -> Self {
        Sample::of(new_id(), new_id())
    }

    /// A sample of that merchant and that person.
    pub fn of(owner: OwnerId, subject: SubjectId) -> Self {
        let product: ProductId = new_id();
        let payment: PaymentId = new_id();
        let endpoint: EndpointId = new_id();
        let mut tx = [0; 64];
        tx[..32].copy_from_slice(&hash(payment.0).0);
        tx[32..].copy_from_slice(&hash(product.0).0);
        Sample {
            owner,
            subject,
            product,
            app: new_id(),
            access_product: new_id(),
            setting: RailSettingId(new_id()),
            session: new_id(),
            payment,
            entitlement: new_id(),
            proof: new_id(),
            receipt: new_id(),
            membership: MembershipId::of(product, subject),
            ticket: new_id(),
            endpoint,
            delivery: DeliveryId::of(new_id(), endpoint),
            key: new_id(),
            setup: new_id(),
            tx: TxSignature(tx),
            wallet: SolanaAddress(hash(subject.0).0),
        }
    }

    /// Every event of it, in order.
    pub fn events(&self) -> Vec<Written> {
        let mut events = self.set_up();
        events.extend(self.asked());
        events.extend(self.paid());
        events.extend(self.around());
        events.extend(self.agent());
        events.extend(self.changed());
        events
    }

    pub fn at(&self, event: impl Into<Event>, id: impl Into<Uuid>) -> Written {
        let event = event.into();
        let stream = StreamId::new(event.event_type().category(), id);
        Written { stream, event_id: new_id(), event, personal: None }
    }
    pub fn sealed(&self, event: impl Into<Event>, id: impl Into<Uuid>, personal: Personal) -> Written {
        Written { personal: Some((self.subject, personal)), ..self.at(event, id) }
    }
    fn customer(&self) -> Personal {
        Personal {
            email: Some("buyer@example.com".to_owned()),
            external_customer_id: Some("customer-7".to_owned()),
            identity_type: Some("TELEGRAM_USER_ID".to_owned()),
            identity_value: Some("77".to_owned()),
            identity_display: Some("@buyer".to_owned()),
            ..Personal::default()
        }
    }
    fn asset(&self) -> Asset {
        Asset { symbol: "USDC".to_owned(), decimals: 6, mint: SolanaAddress([9; 32]) }
    }

    /// The merchant's products, settings, key and receiver.
    pub fn set_up(&self) -> Vec<Written> {
        vec![
            self.at(
                ProductCreated {
                    product_id: self.product,
                    slug: format!("slug-{}", self.product),
                    product_type: ProductType::PaymentLink,
                    title: "Club".to_owned(),
                    description: None,
                    image_url: None,
                    amount: amount(25_000_000),
                    asset: self.asset(),
                    merchant_wallet: SolanaAddress([3; 32]),
                    delivery_type: Some(DeliveryType::TelegramInvite),
                    tip_presets: Vec::new(),
                    max_payments: None,
                    branding: Branding::default(),
                    membership: Some(membership_config()),
                    access_product_id: Some(self.access_product),
                    subject_id: None,
                    quote: None,
                },
                self.product,
            ),
            self.at(
                AccessAppCreated {
                    app_id: self.app,
                    name: "App".to_owned(),
                    external_app_id: format!("app-{}", self.app),
                    default_rail: RailId::SolanaUsdc,
                },
                self.app,
            ),
            self.at(
                AccessProductCreated {
                    access_product_id: self.access_product,
                    product_id: self.product,
                    app_id: self.app,
                    external_product_id: format!("product-{}", self.access_product),
                    title: "Club".to_owned(),
                    description: Some("a \u{0} that no text column can hold".to_owned()),
                    amount: amount(25_000_000),
                    merchant_wallet: SolanaAddress([3; 32]),
                    entitlement_duration_days: 30,
                    default_rail: RailId::SolanaUsdc,
                    allowed_rails: vec![RailId::SolanaUsdc],
                    status: ProductStatus::Active,
                    live_mode_confirmed: true,
                },
                self.access_product,
            ),
            self.at(
                RailSettingSaved {
                    setting_id: self.setting,
                    rail_id: RailId::SolanaUsdc,
                    mode: Mode::Live,
                    enabled: true,
                    payout_address: Some(SolanaAddress([3; 32]).to_string()),
                    label: None,
                    fee_collection: None,
                },
                self.setting,
            ),
            self.at(
                RailSettingAutoVerified {
                    setting_id: self.setting,
                    rail_id: RailId::SolanaUsdc,
                    payout_address: SolanaAddress([3; 32]).to_string(),
                },
                self.setting,
            ),
            self.at(
                ApiKeyIssued {
                    key_id: self.key,
                    label: "server".to_owned(),
                    prefix: "hk_live_ab".to_owned(),
                    key_hash: hash(self.key.0),
                    scopes: vec![Scope::Read, Scope::Write],
                    sandbox_capable: false,
                    expires_at: None,
                    rotated_from: None,
                },
                self.key,
            ),
            self.at(
                WebhookEndpointCreated {
                    endpoint_id: self.endpoint,
                    label: None,
                    url: "https://example.com/hook".to_owned(),
                    subscribed_events: vec![WebhookEvent::PaymentConfirmed],
                    product_ids: vec![],
                    secret_hash: hash(b"secret"),
                },
                self.endpoint,
            ),
        ]
    }

    /// The session, what must be paid, and what waits for it.
    pub fn asked(&self) -> Vec<Written> {
        let expires_at = START.plus_seconds(1_800);
        let fee_bps = FeeBps::try_from(100).ok();
        let (merchant_amount, fee_amount) = (amount(24_750_000), amount(250_000));
        let nonce = hex::encode(&self.payment.0.as_bytes()[..]);
        let created = self.sealed(
            PaymentSessionCreated {
                session_id: self.session,
                app_id: self.app,
                access_product_id: self.access_product,
                product_id: self.product,
                payment_id: self.payment,
                entitlement_id: self.entitlement,
                subject_id: self.subject,
                wallet: None,
                rail_id: RailId::SolanaUsdc,
                payment_protocol: None,
                amount: amount(25_000_000),
                expires_at,
            },
            self.session,
            Personal { metadata: Some("{\"resource\":\"/x\"}".to_owned()), ..self.customer() },
        );
        let requirement = PaymentRequirementAuthored {
            session_id: self.session,
            session_event: created.event_id,
            rail_id: RailId::SolanaUsdc,
            network: "solana:test".to_owned(),
            asset: SolanaAddress([9; 32]),
            memo: format!("HILT:{nonce}"),
            gross: amount(25_000_000),
            merchant_amount,
            fee_amount,
            fee_bps: fee_bps.expect("100 basis points are a rate"),
            fee_policy: "default".to_owned(),
            required_transfers: vec![RequiredTransfer {
                role: TransferRole::Merchant,
                pay_to: SolanaAddress([3; 32]),
                amount: merchant_amount,
            }],
            expires_at,
            requirement_hash: hash(b"requirement"),
            x402: None,
        };
        let payment = PaymentCreated {
            payment_id: self.payment,
            product_id: self.product,
            access_product_id: Some(self.access_product),
            session_id: Some(self.session),
            entitlement_id: Some(self.entitlement),
            subject_id: self.subject,
            nonce,
            asset: self.asset(),
            amount: amount(25_000_000),
            merchant_amount,
            fee_amount,
            fee_bps: requirement.fee_bps,
            fee_policy: "default".to_owned(),
            merchant_wallet: SolanaAddress([3; 32]),
            fee_wallet: Some(SolanaAddress([4; 32])),
            payer_wallet: None,
            membership: Some(membership_config().terms),
            identity_required: false,
            place: None,
            quote: None,
            expires_at,
            fee_source: FeeSource::BuyerTransfer,
        };
        let pended = EntitlementPended {
            entitlement_id: self.entitlement,
            access_product_id: self.access_product,
            product_id: self.product,
            subject_id: self.subject,
            wallet: None,
            rail_id: RailId::SolanaUsdc,
            origin: EntitlementOrigin::Session { session_id: self.session, payment_id: self.payment },
            duration_days: 30,
        };
        vec![
            created,
            self.at(requirement, self.session),
            self.sealed(payment, self.payment, self.customer()),
            self.sealed(pended, self.entitlement, self.customer()),
        ]
    }

    /// From the announced transaction to the confirmed session.
    pub fn paid(&self) -> Vec<Written> {
        let (payment_id, proof_id, receipt_id, session_id) = (self.payment, self.proof, self.receipt, Some(self.session));
        let broadcast =
            PaymentBroadcastRecorded { payment_id, tx_signature: self.tx, payer_wallet: None, wallet_source: Some("phantom".into()) };
        let fingerprinted = self.at(
            ProofFingerprinted {
                proof_id,
                fingerprint: hash(self.tx.0),
                rail_id: RailId::SolanaUsdc,
                network: "solana:test".to_owned(),
                tx_signature: Some(self.tx),
                session_id,
                payment_id,
                entitlement_id: Some(self.entitlement),
                access_product_id: Some(self.access_product),
                product_id: self.product,
                subject_id: self.subject,
                amount: amount(25_000_000),
                requirement_hash: Some(hash(b"requirement")),
                trigger: Trigger::Proof,
                requirement_event: new_id(),
                x402: None,
            },
            proof_id,
        );
        let attempt = |attempt: u32, outcome: Outcome| VerificationAttempted {
            proof_id,
            payment_id,
            session_id,
            rail_id: RailId::SolanaUsdc,
            fingerprint: hash(self.tx.0),
            attempt,
            verifier: "solana_rpc".to_owned(),
            trigger: Trigger::Proof,
            outcome,
            reason: (outcome != Outcome::Passed).then(|| "not_final".to_owned()),
            observed: None,
            proof_event: fingerprinted.event_id,
        };
        let (pending, passed) = (self.at(attempt(1, Outcome::Pending), proof_id), self.at(attempt(2, Outcome::Passed), proof_id));
        let settled = self.at(
            SettlementEvidenced {
                proof_id,
                payment_id,
                session_id,
                rail_id: RailId::SolanaUsdc,
                transfer_id: format!("solana:{}", self.tx),
                tx_signature: self.tx,
                payer: self.wallet,
                slot: 12,
                gross: amount(25_000_000),
                merchant_amount: amount(24_750_000),
                fee_amount: amount(250_000),
                verification_event: passed.event_id,
            },
            proof_id,
        );
        let receipt = self.at(
            ReceiptCreated {
                receipt_id,
                source: ReceiptSource::Checkout,
                payment_id: Some(payment_id),
                product_id: Some(self.product),
                access_product_id: Some(self.access_product),
                subject_id: Some(self.subject),
                amount: amount(25_000_000),
                tx_signature: self.tx,
                wallet: self.wallet,
                chain_verified: true,
                receipt_json: "{\"a\":1}".to_owned(),
                receipt_hash: hash(b"{\"a\":1}"),
                ed25519_sig: Signature64([5; 64]),
                kid: "k1".to_owned(),
                receipt_schema: "1.0".to_owned(),
                credits_burned: 0,
                created_at: START,
                settlement_event: Some(settled.event_id),
            },
            receipt_id,
        );
        let mapped = self.at(
            ReceiptMapped {
                proof_id,
                receipt_id,
                payment_id,
                session_id,
                entitlement_id: Some(self.entitlement),
                rail_id: RailId::SolanaUsdc,
                settlement_event: settled.event_id,
                receipt_event: receipt.event_id,
            },
            proof_id,
        );
        let confirmed = self.at(
            PaymentConfirmed {
                payment_id,
                product_id: self.product,
                access_product_id: Some(self.access_product),
                session_id,
                amount: amount(25_000_000),
                tx_signature: self.tx,
                payer_wallet: self.wallet,
                slot: 12,
                identity_session_id: None,
                confirmed_at: START,
                settlement_event: settled.event_id,
            },
            payment_id,
        );
        let member = self.sealed(
            MembershipActivated {
                membership_id: self.membership,
                product_id: self.product,
                access_product_id: Some(self.access_product),
                subject_id: self.subject,
                wallet: self.wallet,
                payment_id,
                tx_signature: self.tx,
                period_start: START,
                period_end: START.plus_days(30),
                grace_period_days: 3,
                renewal_reminder_offsets_days: vec![7, 2, 1],
                platform: Some(Platform::Telegram),
                payment_event: confirmed.event_id,
            },
            self.membership,
            self.customer(),
        );
        let activated = self.at(
            EntitlementActivated {
                entitlement_id: self.entitlement,
                access_product_id: self.access_product,
                evidence: ActivationEvidence::Receipt {
                    proof_id,
                    receipt_id,
                    payment_id,
                    membership_id: Some(self.membership),
                    receipt_mapped_event: mapped.event_id,
                },
                active_from: START,
                expires_at: START.plus_days(30),
            },
            self.entitlement,
        );
        let done = PaymentSessionConfirmed { session_id: self.session, payment_id, receipt_id, entitlement_event: activated.event_id };
        vec![
            self.at(broadcast, payment_id),
            fingerprinted,
            pending,
            passed,
            settled,
            receipt,
            mapped,
            confirmed,
            member,
            activated,
            self.at(done, self.session),
        ]
    }

    /// The events as the log would hold them, one a second, with what was sealed beside them.
    pub fn record(&self, events: &[Written]) -> Vec<(Recorded, Event, Option<Personal>)> {
        let mut versions: BTreeMap<(Category, Uuid), u64> = BTreeMap::new();
        events
            .iter()
            .enumerate()
            .map(|(position, written)| {
                let version = versions.entry((written.stream.category, written.stream.id)).or_default();
                let envelope = Envelope {
                    stream: written.stream,
                    version: *version,
                    event_id: written.event_id,
                    event_type: written.event.event_type(),
                    schema_version: written.event.event_type().schema_version(),
                    owner_id: Some(self.owner),
                    livemode: true,
                    recorded_at: START.plus_seconds(position as i64),
                    correlation_id: self.session.0,
                    causation_id: None,
                    actor: Actor::system("sample"),
                    request_id: None,
                    subject_id: written.personal.as_ref().map(|(subject, _)| *subject),
                };
                *version += 1;
                let payload = codec::encode(&written.event).unwrap_or_default();
                let recorded =
                    Recorded { position: position as u64, envelope, payload, sealed: None, prev_leaf: hash(b""), leaf: hash(b"") };
                (recorded, written.event.clone(), written.personal.clone().map(|(_, personal)| personal))
            })
            .collect()
    }

    /// The rows that `P` makes of the events.
    ///
    /// # Panics
    /// If an event is poison, touches nothing, or makes a row whose fields are not the table's columns.
    pub fn fold<P: Projection>(&self, events: &[Written]) -> Rows<P::Row> {
        let mut rows = Rows::complete();
        for (recorded, event, personal) in &self.record(events) {
            if !P::handles(event.event_type()) {
                continue;
            }
            assert!(
                P::APPENDS || P::keys(event) != Keys::none(),
                "{} wants {} and has no key for it",
                P::NAME,
                event.event_type().as_str()
            );
            let applied = Applied { recorded, event, personal: personal.as_ref() };
            P::apply(&mut rows, &applied).unwrap_or_else(|poison| panic!("{}: {poison}", P::NAME));
        }
        for row in rows.iter() {
            let json = serde_json::to_value(row).expect("a row is JSON");
            let fields: std::collections::BTreeSet<String> = json.as_object().into_iter().flat_map(|row| row.keys().cloned()).collect();
            assert_eq!(fields, columns(P::SCHEMA), "the fields of {} are its columns", row.meta().id);
            let back: P::Row = serde_json::from_value(json.clone()).expect("a row is read back");
            assert_eq!(serde_json::to_value(&back).expect("a row is JSON"), json);
        }
        rows
    }
}

impl Default for Sample {
    fn default() -> Self {
        Sample::new()
    }
}

/// The columns that the DDL of one table names.
fn columns(schema: &str) -> std::collections::BTreeSet<String> {
    let body = schema.split_once("(\n").map_or("", |(_, rest)| rest).split_once("\n);").map_or("", |(body, _)| body);
    body.lines().filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect()
}

fn membership_config() -> MembershipConfig {
    MembershipConfig {
        enabled: true,
        platform: Some(Platform::Telegram),
        access_mode: Some(AccessMode::InviteLink),
        identity_type: Some(IdentityType::TelegramUserId),
        identity_label: None,
        identity_required: false,
        terms: MembershipTerms { billing_interval_days: 30, grace_period_days: 3, renewal_reminder_offsets_days: vec![7, 2, 1] },
        platform_target_label: None,
        platform_target_id: None,
        platform_role_id: None,
        platform_channel_id: None,
    }
}
