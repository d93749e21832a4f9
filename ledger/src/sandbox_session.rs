//! Sandbox sessions (TR-42, RT-067, RT-068): the whole lifecycle without money.

use crate::check::{identified, rejections};
use events::{
    decider::Decider,
    vocab::{
        bytes::Hash32,
        event::{Event, SandboxProofRecorded, SandboxProofRejected, SandboxSessionConfirmed, SandboxSessionCreated, SandboxSessionExpired},
        id::{AccessProductId, EntitlementId, ProductId, ProofId, SandboxSessionId, SubjectId, TestClockId},
        personal::Personal,
        rail::RailId,
        stream::Fact,
        time::Timestamp,
        words::PaymentProtocol,
    },
};

/// A sandbox session.
#[derive(Clone, PartialEq, Debug, Default)]
pub enum SandboxSession {
    /// Not created.
    #[default]
    Absent,
    /// Waits for its proof.
    Pending(Box<SandboxSessionCreated>),
    /// The right proof came in time.
    Confirmed {
        /// The session.
        session: Box<SandboxSessionCreated>,
        /// When.
        confirmed_at: Timestamp,
    },
    /// No proof came in time.
    Expired(Box<SandboxSessionCreated>),
}

impl SandboxSession {
    /// The session, unless it is absent.
    pub fn facts(&self) -> Option<&SandboxSessionCreated> {
        match self {
            SandboxSession::Absent => None,
            SandboxSession::Pending(session) | SandboxSession::Confirmed { session, .. } | SandboxSession::Expired(session) => {
                Some(session)
            }
        }
    }
}

/// What is asked of a sandbox session.
#[derive(Clone, PartialEq, Debug)]
pub enum Command {
    /// Start it.
    Create(Box<Create>),
    /// Bring its proof. A wrong or late proof is kept as an event and yet refuses: see [`refusal`].
    Confirm {
        /// SHA-256 of the proof that was brought.
        proof_hash: Hash32,
        /// Now: of the session's test clock, if it hangs on one.
        now: Timestamp,
    },
    /// Keep a candidate proof (RT-065). It pays nothing and confirms nothing; that it was not brought before is for its claim.
    RecordProof(Box<Candidate>),
    /// Its time is over.
    Expire {
        /// Now, likewise.
        now: Timestamp,
    },
}

/// See [`Command::Create`].
#[derive(Clone, PartialEq, Debug)]
pub struct Create {
    /// Its id.
    pub sandbox_session_id: SandboxSessionId,
    /// What is tried out.
    pub access_product_id: AccessProductId,
    /// The hosted product behind it.
    pub product_id: ProductId,
    /// What will be activated.
    pub entitlement_id: EntitlementId,
    /// Who.
    pub subject_id: SubjectId,
    /// The wallet that identifies the customer, when the caller named one.
    pub wallet: Option<String>,
    /// The rail that is tried out.
    pub rail_id: RailId,
    /// Whether the platform opens that rail to the sandbox and no kill switch is tripped.
    pub sandbox_enabled: bool,
    /// The caller's `confirm_sandbox_mode`.
    pub sandbox_mode_confirmed: bool,
    /// SHA-256 of the proof, which is returned once and kept nowhere (INV-41).
    pub proof_hash: Hash32,
    /// 30 minutes from now, in the time of its test clock if it hangs on one.
    pub expires_at: Timestamp,
    /// The clock whose time is its time.
    pub test_clock_id: Option<TestClockId>,
    /// The customer's id and e-mail.
    pub personal: Personal,
}

/// See [`Command::RecordProof`].
#[derive(Clone, PartialEq, Debug)]
pub struct Candidate {
    /// Its id.
    pub proof_id: ProofId,
    /// The protocol around it.
    pub payment_protocol: Option<PaymentProtocol>,
    /// SHA-256 of what was brought.
    pub fingerprint: Hash32,
    /// Now, likewise.
    pub now: Timestamp,
}

rejections! {
    /// Why a sandbox session command is refused.
    pub enum Rejection {
        /// There is no such session (COD-24).
        NotFound = "sandbox_session_not_found", "there is no such sandbox session";
        /// The caller did not say that he means the sandbox (COD-21).
        ModeConfirmationRequired = "sandbox_mode_confirmation_required", "confirm_sandbox_mode: true is required";
        /// The rail is closed to the sandbox (COD-22).
        RailDisabled {
            /// The rail.
            rail: RailId,
        } = "rail_disabled", "{rail} is not open to the sandbox";
        /// Nobody is named (COD-23).
        CustomerIdentityRequired = "customer_identity_required", "external_customer_id: one of external_customer_id, wallet and email is required";
        /// The id is in use for another session.
        AlreadyExists = "already_exists", "the sandbox session exists with other content";
        /// The proof is not this session's (COD-25).
        InvalidProof = "invalid_sandbox_proof", "proof: is not the proof of this sandbox session";
        /// The right proof came too late (COD-26).
        ProofExpired = "sandbox_proof_expired", "the proof has expired";
        /// Its time is not over.
        NotExpiredYet = "not_expired_yet", "the sandbox session has not expired yet";
        /// It is confirmed and does not expire any more.
        Confirmed = "sandbox_session_confirmed", "the sandbox session is confirmed";
    }
}

impl Decider for SandboxSession {
    type State = Self;
    type Command = Command;
    type Rejection = Rejection;

    fn decide(state: &Self, command: Command) -> Result<Vec<Fact>, Rejection> {
        use SandboxSession::{Absent, Confirmed, Expired, Pending};
        match (state, command) {
            (Absent, Command::Create(create)) => create.fact().map(|fact| vec![fact]),
            (Pending(session) | Confirmed { session, .. } | Expired(session), Command::Create(create)) => match create.fact()?.event {
                Event::SandboxSessionCreated(again) if again == **session => Ok(vec![]),
                _ => Err(Rejection::AlreadyExists),
            },
            (Absent, Command::Confirm { .. } | Command::RecordProof(_) | Command::Expire { .. }) => Err(Rejection::NotFound),
            (Pending(session) | Confirmed { session, .. } | Expired(session), Command::Confirm { proof_hash, .. })
                if proof_hash != session.proof_hash =>
            {
                Ok(vec![refused(session, Rejection::InvalidProof)])
            }
            (Expired(session), Command::Confirm { .. }) => Ok(vec![refused(session, Rejection::ProofExpired)]),
            (Pending(session), Command::Confirm { now, .. }) if now >= session.expires_at => {
                Ok(vec![refused(session, Rejection::ProofExpired)])
            }
            (Pending(session), Command::Confirm { now, .. }) => {
                Ok(vec![SandboxSessionConfirmed { sandbox_session_id: session.sandbox_session_id, confirmed_at: now }.into()])
            }
            (Confirmed { .. }, Command::Confirm { .. }) => Ok(vec![]),

            (Expired(_), Command::RecordProof(_)) => Err(Rejection::ProofExpired),
            (Pending(session), Command::RecordProof(candidate)) if candidate.now >= session.expires_at => Err(Rejection::ProofExpired),
            (Pending(session) | Confirmed { session, .. }, Command::RecordProof(candidate)) => {
                let Candidate { proof_id, payment_protocol, fingerprint, now: _ } = *candidate;
                let (sandbox_session_id, rail_id) = (session.sandbox_session_id, session.rail_id);
                Ok(vec![SandboxProofRecorded { sandbox_session_id, proof_id, rail_id, payment_protocol, fingerprint }.into()])
            }

            (Pending(session), Command::Expire { now }) => match now >= session.expires_at {
                true => Ok(vec![SandboxSessionExpired { sandbox_session_id: session.sandbox_session_id, expired_at: now }.into()]),
                false => Err(Rejection::NotExpiredYet),
            },
            (Confirmed { .. }, Command::Expire { .. }) => Err(Rejection::Confirmed),
            (Expired(_), Command::Expire { .. }) => Ok(vec![]),
        }
    }

    fn evolve(state: Self, event: &Event) -> Self {
        use SandboxSession::{Absent, Confirmed, Expired, Pending};
        match (state, event) {
            (Absent, Event::SandboxSessionCreated(created)) => Pending(Box::new(created.clone())),
            (Pending(session), Event::SandboxSessionConfirmed(confirmed)) => Confirmed { session, confirmed_at: confirmed.confirmed_at },
            (Pending(session), Event::SandboxSessionExpired(_)) => Expired(session),
            (state, _) => state,
        }
    }
}

/// The refusal that decided facts amount to. A wrong proof must leave a trace, and a rejection leaves none; so `Confirm`
/// yields `sandbox_session.proof_rejected`, which the caller appends, and asks here what to answer.
pub fn refusal<'a>(events: impl IntoIterator<Item = &'a Event>) -> Option<Rejection> {
    events.into_iter().find_map(|event| match event {
        Event::SandboxProofRejected(rejected) if rejected.reason == Rejection::ProofExpired.code() => Some(Rejection::ProofExpired),
        Event::SandboxProofRejected(_) => Some(Rejection::InvalidProof),
        _ => None,
    })
}

fn refused(session: &SandboxSessionCreated, why: Rejection) -> Fact {
    SandboxProofRejected { sandbox_session_id: session.sandbox_session_id, reason: why.code().to_owned() }.into()
}

impl Create {
    fn fact(self) -> Result<Fact, Rejection> {
        if !self.sandbox_mode_confirmed {
            return Err(Rejection::ModeConfirmationRequired);
        }
        if !self.sandbox_enabled {
            return Err(Rejection::RailDisabled { rail: self.rail_id });
        }
        if !identified(self.wallet.as_deref(), &self.personal) {
            return Err(Rejection::CustomerIdentityRequired);
        }
        let created = SandboxSessionCreated {
            sandbox_session_id: self.sandbox_session_id,
            access_product_id: self.access_product_id,
            product_id: self.product_id,
            entitlement_id: self.entitlement_id,
            subject_id: self.subject_id,
            wallet: self.wallet,
            rail_id: self.rail_id,
            proof_hash: self.proof_hash,
            expires_at: self.expires_at,
            test_clock_id: self.test_clock_id,
        };
        Ok(Fact::sealed(created, self.subject_id, self.personal))
    }
}
