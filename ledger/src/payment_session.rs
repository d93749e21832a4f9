//! Live payment sessions and their requirements (TR-31, TR-32, RT-063).

use crate::{
    Cited,
    check::{filled, first_false, identified, price, rejections},
    requirement::Binding,
    x402::{Accepts, Terms, merchant_leg},
};
use events::{
    decider::Decider,
    vocab::{
        event::{
            ActivationEvidence, EntitlementActivated, Event, PaymentCreated, PaymentRequirementAuthored, PaymentSessionConfirmed,
            PaymentSessionCreated, PaymentSessionExpired, PaymentSessionFailed, X402Requirement,
        },
        id::{AccessProductId, AppId, EntitlementId, OwnerId, PaymentId, ProductId, ReceiptId, SessionId, SubjectId},
        personal::Personal,
        rail::RailId,
        stream::Fact,
        time::Timestamp,
        words::{FeeSource, PaymentProtocol},
    },
};

/// A live payment session.
#[derive(Clone, PartialEq, Debug, Default)]
pub enum PaymentSession {
    /// Not created.
    #[default]
    Absent,
    /// Created, its requirement not yet written; nothing can be proved against it.
    Created(Box<PaymentSessionCreated>),
    /// Waits for its payment.
    Pending(Box<Open>),
    /// Paid for; its entitlement is active.
    Confirmed {
        /// What was asked.
        open: Box<Open>,
        /// The receipt.
        receipt_id: ReceiptId,
    },
    /// Nobody paid in time.
    Expired(Box<Open>),
    /// It ended without access: its payment failed on chain, staff closed its entitlement, or a membership took its place.
    Failed {
        /// What was asked.
        open: Box<Open>,
        /// A stable code.
        reason: String,
    },
}

/// A session with its requirement.
#[derive(Clone, PartialEq, Debug)]
pub struct Open {
    /// The session.
    pub session: PaymentSessionCreated,
    /// What must be paid.
    pub requirement: PaymentRequirementAuthored,
}

/// What is asked of a session.
#[derive(Clone, PartialEq, Debug)]
pub enum Command {
    /// Start it.
    Create(Box<Create>),
    /// Write what must be paid, in the same append (INV-15).
    AuthorRequirement {
        /// The workspace.
        owner_id: OwnerId,
        /// The event that permits it.
        session: Cited<PaymentSessionCreated>,
        /// The checkout payment made for this session.
        payment: Box<PaymentCreated>,
        /// CAIP-2.
        network: String,
        /// What x402 clients are told beyond it, in a session of that protocol.
        x402: Option<Terms>,
    },
    /// Its entitlement is active.
    Confirm {
        /// The event that permits it.
        entitlement: Cited<EntitlementActivated>,
    },
    /// Its time is over.
    Expire {
        /// Now.
        now: Timestamp,
        /// Whether the payment has a transaction that may still be confirmed.
        transaction_recorded: bool,
    },
    /// It ends without access.
    Fail {
        /// A stable code.
        reason: String,
    },
}

/// See [`Command::Create`].
#[derive(Clone, PartialEq, Debug)]
pub struct Create {
    /// Its id.
    pub session_id: SessionId,
    /// The app.
    pub app_id: AppId,
    /// What is bought.
    pub access_product_id: AccessProductId,
    /// The hosted product behind it.
    pub product_id: ProductId,
    /// The checkout payment.
    pub payment_id: PaymentId,
    /// What will be activated.
    pub entitlement_id: EntitlementId,
    /// Who buys.
    pub subject_id: SubjectId,
    /// The wallet that identifies the customer, when the caller named one.
    pub wallet: Option<String>,
    /// The settlement rail.
    pub rail_id: RailId,
    /// The protocol around it.
    pub payment_protocol: Option<PaymentProtocol>,
    /// The amount in minor units.
    pub amount: u64,
    /// 30 minutes from now.
    pub expires_at: Timestamp,
    /// The customer's id, e-mail and the metadata.
    pub personal: Personal,
}

rejections! {
    /// Why a session command is refused.
    pub enum Rejection {
        /// There is no such session.
        NotFound = "payment_session_not_found", "there is no such payment session";
        /// Nobody is named (COD-23).
        CustomerIdentityRequired = "customer_identity_required", "external_customer_id: one of external_customer_id, wallet and email is required";
        /// No live session can be created on this rail (COD-6).
        AdapterNotImplemented {
            /// The rail.
            rail: RailId,
        } = "rail_session_adapter_not_implemented", "live sessions on {rail} cannot be created";
        /// An amount of 0 or beyond 2⁵³ − 1.
        AmountOutOfRange = "amount_out_of_range", "amount_minor_units: is an integer from 1 to 9007199254740991";
        /// The id is in use for another session.
        AlreadyExists = "already_exists", "the payment session exists with other content";
        /// The cited event, the payment and the session do not belong together.
        RequirementMismatch {
            /// Which field differs.
            field: &'static str,
        } = "payment_requirement_mismatch", "{field} of the payment is not the session's";
        /// Another requirement was written; it never changes.
        RequirementAuthored = "payment_requirement_authored", "the session has its requirement, which never changes";
        /// No requirement was written yet.
        RequirementMissing = "payment_requirement_missing", "the session has no requirement yet";
        /// The activation is of another payment or entitlement, or of the sandbox.
        EntitlementMismatch {
            /// Which field differs.
            field: &'static str,
        } = "entitlement_mismatch", "{field} of the activation is not the session's";
        /// The session is over for lack of payment.
        Expired = "payment_session_expired", "the payment session has expired";
        /// The session ended without access.
        Failed = "payment_session_failed", "the payment session has ended without access";
        /// The session is paid for.
        AlreadyConfirmed = "payment_session_confirmed", "the payment session is confirmed";
        /// The time is not over.
        NotExpiredYet = "not_expired_yet", "the payment session has not expired yet";
        /// A transaction is recorded and may still be confirmed.
        PendingConfirmation = "payment_pending_confirmation", "a transaction is recorded and may still be confirmed";
        /// No reason was given.
        ReasonRequired = "reason_required", "reason: is required";
    }
}

impl Decider for PaymentSession {
    type State = Self;
    type Command = Command;
    type Rejection = Rejection;

    fn decide(state: &Self, command: Command) -> Result<Vec<Fact>, Rejection> {
        use PaymentSession::{Absent, Confirmed, Created, Expired, Failed, Pending};
        match (state, command) {
            (Absent, Command::Create(create)) => create.fact().map(|fact| vec![fact]),
            (_, Command::Create(create)) => match create.fact()?.event {
                Event::PaymentSessionCreated(created) if state.session() == Some(&created) => Ok(vec![]),
                _ => Err(Rejection::AlreadyExists),
            },
            (Absent, _) => Err(Rejection::NotFound),

            (Created(session), Command::AuthorRequirement { owner_id, session: cited, payment, network, x402 }) => {
                let authored = requirement(session, owner_id, &cited, &payment, &network, x402.as_ref())?;
                Ok(vec![match x402 {
                    // The merchant's URL may name the customer.
                    Some(terms) => {
                        let personal = Personal { resource: Some(terms.resource), ..Personal::default() };
                        Fact::sealed(authored, session.subject_id, personal)
                    }
                    None => authored.into(),
                }])
            }
            (
                Pending(open) | Confirmed { open, .. } | Expired(open) | Failed { open, .. },
                Command::AuthorRequirement { owner_id, session, payment, network, x402 },
            ) => match requirement(&open.session, owner_id, &session, &payment, &network, x402.as_ref())? == open.requirement {
                true => Ok(vec![]),
                false => Err(Rejection::RequirementAuthored),
            },
            (Created(_), Command::Confirm { .. } | Command::Expire { .. } | Command::Fail { .. }) => Err(Rejection::RequirementMissing),

            (Pending(open), Command::Confirm { entitlement }) => Ok(vec![confirmation(open, &entitlement)?.into()]),
            (Confirmed { open, receipt_id }, Command::Confirm { entitlement }) => match confirmation(open, &entitlement)? {
                again if again.receipt_id == *receipt_id => Ok(vec![]),
                _ => Err(Rejection::AlreadyConfirmed),
            },
            (Expired(_), Command::Confirm { .. } | Command::Fail { .. }) => Err(Rejection::Expired),
            (Failed { .. }, Command::Confirm { .. } | Command::Expire { .. }) => Err(Rejection::Failed),

            (Pending(open), Command::Expire { now, transaction_recorded }) => {
                if now < open.session.expires_at {
                    return Err(Rejection::NotExpiredYet);
                }
                if transaction_recorded {
                    return Err(Rejection::PendingConfirmation);
                }
                Ok(vec![PaymentSessionExpired { session_id: open.session.session_id }.into()])
            }
            (Pending(open), Command::Fail { reason }) => {
                let reason = filled(&reason).ok_or(Rejection::ReasonRequired)?;
                Ok(vec![PaymentSessionFailed { session_id: open.session.session_id, reason }.into()])
            }
            (Confirmed { .. }, Command::Expire { .. } | Command::Fail { .. }) => Err(Rejection::AlreadyConfirmed),
            (Expired(_), Command::Expire { .. }) | (Failed { .. }, Command::Fail { .. }) => Ok(vec![]),
        }
    }

    fn evolve(state: Self, event: &Event) -> Self {
        use PaymentSession::{Absent, Confirmed, Created, Expired, Failed, Pending};
        match (state, event) {
            (Absent, Event::PaymentSessionCreated(created)) => Created(Box::new(created.clone())),
            (Created(session), Event::PaymentRequirementAuthored(requirement)) => {
                Pending(Box::new(Open { session: *session, requirement: requirement.clone() }))
            }
            (Pending(open), Event::PaymentSessionConfirmed(confirmed)) => Confirmed { open, receipt_id: confirmed.receipt_id },
            (Pending(open), Event::PaymentSessionExpired(_)) => Expired(open),
            (Pending(open), Event::PaymentSessionFailed(failed)) => Failed { open, reason: failed.reason.clone() },
            (state, _) => state,
        }
    }
}

impl PaymentSession {
    /// The session as created.
    pub fn session(&self) -> Option<&PaymentSessionCreated> {
        match self {
            PaymentSession::Absent => None,
            PaymentSession::Created(session) => Some(session),
            _ => self.open().map(|open| &open.session),
        }
    }

    /// The session with its requirement, once that is written.
    pub fn open(&self) -> Option<&Open> {
        match self {
            PaymentSession::Absent | PaymentSession::Created(_) => None,
            PaymentSession::Pending(open)
            | PaymentSession::Confirmed { open, .. }
            | PaymentSession::Expired(open)
            | PaymentSession::Failed { open, .. } => Some(open),
        }
    }

    /// The contract's word (OBJ-19).
    pub fn status(&self) -> Option<&'static str> {
        match self {
            PaymentSession::Absent => None,
            PaymentSession::Created(_) | PaymentSession::Pending(_) => Some("pending"),
            PaymentSession::Confirmed { .. } => Some("confirmed"),
            PaymentSession::Expired(_) => Some("expired"),
            PaymentSession::Failed { .. } => Some("failed"),
        }
    }
}

impl Create {
    fn fact(self) -> Result<Fact, Rejection> {
        if !identified(self.wallet.as_deref(), &self.personal) {
            return Err(Rejection::CustomerIdentityRequired);
        }
        // The only rail whose requirement this deployment can write; the others' gates stand before this one.
        if self.rail_id != RailId::SolanaUsdc {
            return Err(Rejection::AdapterNotImplemented { rail: self.rail_id });
        }
        let amount = price(self.amount).ok_or(Rejection::AmountOutOfRange)?;
        let created = PaymentSessionCreated {
            session_id: self.session_id,
            app_id: self.app_id,
            access_product_id: self.access_product_id,
            product_id: self.product_id,
            payment_id: self.payment_id,
            entitlement_id: self.entitlement_id,
            subject_id: self.subject_id,
            wallet: self.wallet,
            rail_id: self.rail_id,
            payment_protocol: self.payment_protocol,
            amount,
            expires_at: self.expires_at,
        };
        Ok(Fact::sealed(created, self.subject_id, self.personal))
    }
}

fn requirement(
    session: &PaymentSessionCreated,
    owner_id: OwnerId,
    cited: &Cited<PaymentSessionCreated>,
    payment: &PaymentCreated,
    network: &str,
    x402: Option<&Terms>,
) -> Result<PaymentRequirementAuthored, Rejection> {
    let is_x402 = session.payment_protocol == Some(PaymentProtocol::X402);
    let same = [
        ("session_event", cited.event == *session),
        ("payment_id", payment.payment_id == session.payment_id),
        ("session_id", payment.session_id == Some(session.session_id)),
        ("access_product_id", payment.access_product_id == Some(session.access_product_id)),
        ("product_id", payment.product_id == session.product_id),
        ("entitlement_id", payment.entitlement_id == Some(session.entitlement_id)),
        ("subject_id", payment.subject_id == session.subject_id),
        ("amount", payment.amount == session.amount),
        ("expires_at", payment.expires_at == session.expires_at),
        ("payment_protocol", is_x402 == x402.is_some()),
        // `exact` clients make one transfer, so that the fee cannot be another.
        ("fee_source", is_x402 == (payment.fee_source == FeeSource::MerchantReceivable)),
    ];
    if let Some(field) = first_false(same) {
        return Err(Rejection::RequirementMismatch { field });
    }
    let mut binding = Binding::of(owner_id, session, payment, network);
    let x402 = x402.and_then(|terms| {
        let leg = merchant_leg(&binding.required_transfers)?;
        let accepts = Accepts {
            network,
            asset: binding.asset,
            pay_to: leg.pay_to,
            amount: leg.amount,
            memo: &binding.memo,
            resource: &terms.resource,
            fee_payer: terms.fee_payer,
            max_timeout_seconds: terms.max_timeout_seconds,
        };
        Some(X402Requirement {
            fee_payer: terms.fee_payer,
            max_timeout_seconds: terms.max_timeout_seconds,
            payment_requirements_hash: accepts.hash(),
        })
    });
    if let Some(x402) = &x402 {
        binding = binding.for_x402(x402.payment_requirements_hash);
    }
    let requirement_hash = binding.hash();
    Ok(PaymentRequirementAuthored {
        session_id: session.session_id,
        session_event: cited.id,
        rail_id: binding.rail_id,
        network: binding.network,
        asset: binding.asset,
        memo: binding.memo,
        gross: binding.gross,
        merchant_amount: binding.merchant_amount,
        fee_amount: binding.fee_amount,
        fee_bps: binding.fee_bps,
        fee_policy: binding.fee_policy,
        required_transfers: binding.required_transfers,
        expires_at: binding.expires_at,
        requirement_hash,
        x402,
    })
}

fn confirmation(open: &Open, entitlement: &Cited<EntitlementActivated>) -> Result<PaymentSessionConfirmed, Rejection> {
    let session = &open.session;
    if entitlement.event.entitlement_id != session.entitlement_id {
        return Err(Rejection::EntitlementMismatch { field: "entitlement_id" });
    }
    match entitlement.event.evidence {
        ActivationEvidence::Receipt { payment_id, receipt_id, .. } if payment_id == session.payment_id => {
            Ok(PaymentSessionConfirmed { session_id: session.session_id, payment_id, receipt_id, entitlement_event: entitlement.id })
        }
        ActivationEvidence::Receipt { .. } => Err(Rejection::EntitlementMismatch { field: "payment_id" }),
        ActivationEvidence::Sandbox { .. } | ActivationEvidence::Membership { .. } => {
            Err(Rejection::EntitlementMismatch { field: "evidence" })
        }
    }
}
