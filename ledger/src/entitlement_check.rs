//! The entitlement check (RT-066): from what is on record of a customer and a product to the answer that a protected endpoint
//! acts on. It is the source of truth (INV-18), so it is pure and total: every state has one answer.

use events::vocab::{
    id::{PaymentId, ReceiptId},
    rail::RailId,
    time::Timestamp,
    words::PaymentProtocol,
};

/// What is asked, the product and the customer already found.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// The rail asked for, or the product's default.
    pub rail: RailId,
    /// The product's policy.
    pub allowed_rails: &'a [RailId],
    /// Now: expiry is computed, not waited for.
    pub now: Timestamp,
}

/// An entitlement on record.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entitlement {
    /// The rail it was asked for on.
    pub rail_id: RailId,
    /// The protocol around the payment.
    pub payment_protocol: Option<PaymentProtocol>,
    /// How far it has come.
    pub standing: Standing,
    /// The payment that it waits for or rests on.
    pub payment_id: Option<PaymentId>,
    /// The receipt that it rests on.
    pub receipt_id: Option<ReceiptId>,
    /// Whether it is of the sandbox.
    pub sandbox: bool,
    /// What its test clock shows, if it hangs on one: its now.
    pub clock: Option<Timestamp>,
}

/// How far an entitlement has come, with the window that it grants.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Standing {
    /// Waits for its payment.
    Pending,
    /// Was activated for this window.
    Active {
        /// When it began.
        from: Timestamp,
        /// When it ends.
        until: Timestamp,
    },
    /// Was taken away.
    Revoked,
    /// Was closed before it began.
    Failed,
}

/// A membership on record: the bridge from the hosted checkout (DIS-24).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Membership {
    /// When the paid period began.
    pub from: Timestamp,
    /// Until when it is paid.
    pub until: Timestamp,
    /// When grace is over: the member keeps his access until then.
    pub grace_until: Timestamp,
    /// Whether it was taken away.
    pub revoked: bool,
    /// The last payment.
    pub payment_id: Option<PaymentId>,
    /// Its receipt.
    pub receipt_id: Option<ReceiptId>,
}

macro_rules! words {
    ($( #[$doc:meta] $name:ident { $( #[$vdoc:meta] $variant:ident = $text:literal ),* $(,)? } )*) => {$(
        #[$doc]
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub enum $name { $( #[$vdoc] $variant ),* }
        impl $name {
            /// Every value.
            pub const ALL: &'static [$name] = &[$( $name::$variant ),*];
            /// The contract's word.
            pub const fn as_str(self) -> &'static str { match self { $( $name::$variant => $text ),* } }
        }
    )*};
}

words! {
    /// The state the answer rests on.
    Status {
        /// Access.
        Active = "active",
        /// A payment is awaited.
        Pending = "pending",
        /// The window ended.
        Expired = "expired",
        /// Taken away.
        Revoked = "revoked",
        /// Closed before it began.
        Failed = "failed",
        /// Nothing on record that counts.
        NotFound = "not_found",
    }
    /// Why (COD-27..33).
    Reason {
        /// An active entitlement.
        ActiveEntitlement = "active_entitlement",
        /// An active membership.
        ActiveMembership = "active_membership",
        /// A session exists, confirmed access does not.
        PaymentPending = "payment_pending",
        /// The window ended.
        EntitlementExpired = "entitlement_expired",
        /// It was taken away.
        EntitlementRevoked = "entitlement_revoked",
        /// What is on record is of another rail.
        NoEntitlementForRail = "no_entitlement_for_rail",
        /// Nothing on record.
        NoEntitlement = "no_entitlement",
    }
    /// Where the answer comes from.
    Source {
        /// A membership.
        MembershipBridge = "membership_bridge",
        /// An entitlement.
        AccessEntitlement = "access_entitlement",
        /// An entitlement of the sandbox.
        SandboxEntitlement = "sandbox_entitlement",
        /// Nothing.
        None = "none",
    }
}

/// The answer. Access is granted when, and only when, the status is `active`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Answer {
    /// The state.
    pub status: Status,
    /// Why.
    pub reason: Reason,
    /// Where from.
    pub source: Source,
    /// The window, once there was one.
    pub window: Option<(Timestamp, Timestamp)>,
    /// The receipt that it rests on.
    pub receipt_id: Option<ReceiptId>,
    /// The payment that it waits for or rests on.
    pub last_payment_id: Option<PaymentId>,
}

impl Answer {
    /// Whether protected work may be done.
    pub fn has_access(&self) -> bool {
        self.status == Status::Active
    }
}

/// The answer, by precedence: active membership, active entitlement, pending, expired, revoked, failed, wrong rail, none. Among
/// equals the one with the latest window, then the later in `entitlements`, which come in the order of their making.
pub fn decide(question: &Question<'_>, entitlements: &[Entitlement], membership: Option<&Membership>) -> Answer {
    let of_rail: Vec<&Entitlement> = entitlements.iter().filter(|entitlement| entitlement.is_of(question.rail)).collect();
    // Memberships are paid at the hosted checkout, which settles on one rail only. Taking away what a payment bought takes away
    // the membership's word for the same payment.
    let taken_away = |payment| {
        entitlements.iter().any(|entitlement| entitlement.standing == Standing::Revoked && entitlement.payment_id == Some(payment))
    };
    let membership =
        membership.filter(|_| question.rail == RailId::SolanaUsdc).filter(|membership| !membership.payment_id.is_some_and(taken_away));
    let ranked = of_rail
        .iter()
        .map(|entitlement| entitlement.answer(entitlement.clock.unwrap_or(question.now)))
        .chain(membership.map(|m| m.answer(question.now)));
    let best = ranked.max_by_key(|answer| (rank(answer), answer.window.map(|(_, until)| until)));
    best.unwrap_or_else(|| {
        let elsewhere = !entitlements.is_empty() || !question.allowed_rails.contains(&question.rail);
        Answer {
            status: Status::NotFound,
            reason: if elsewhere { Reason::NoEntitlementForRail } else { Reason::NoEntitlement },
            source: Source::None,
            window: None,
            receipt_id: None,
            last_payment_id: None,
        }
    })
}

fn rank(answer: &Answer) -> u8 {
    match (answer.status, answer.source) {
        (Status::Active, Source::MembershipBridge) => 6,
        (Status::Active, _) => 5,
        (Status::Pending, _) => 4,
        // An entitlement that ran out says more than the membership of the same payment.
        (Status::Expired, Source::AccessEntitlement | Source::SandboxEntitlement) => 3,
        (Status::Expired, _) => 2,
        (Status::Revoked, _) => 1,
        (Status::Failed | Status::NotFound, _) => 0,
    }
}

impl Entitlement {
    /// `x402` also names what was paid over another rail by that protocol (DIS-31).
    fn is_of(&self, rail: RailId) -> bool {
        self.rail_id == rail || (rail == RailId::X402 && self.payment_protocol == Some(PaymentProtocol::X402))
    }

    fn answer(&self, now: Timestamp) -> Answer {
        let (status, reason, window) = match self.standing {
            Standing::Active { from, until } if now < until => (Status::Active, Reason::ActiveEntitlement, Some((from, until))),
            Standing::Active { from, until } => (Status::Expired, Reason::EntitlementExpired, Some((from, until))),
            Standing::Pending => (Status::Pending, Reason::PaymentPending, None),
            Standing::Revoked => (Status::Revoked, Reason::EntitlementRevoked, None),
            Standing::Failed => (Status::Failed, Reason::NoEntitlement, None),
        };
        Answer {
            status,
            reason,
            source: if self.sandbox { Source::SandboxEntitlement } else { Source::AccessEntitlement },
            window,
            receipt_id: self.receipt_id,
            last_payment_id: self.payment_id,
        }
    }
}

impl Membership {
    fn answer(&self, now: Timestamp) -> Answer {
        let (status, reason, window) = match now {
            _ if self.revoked => (Status::Revoked, Reason::EntitlementRevoked, None),
            now if now < self.until => (Status::Active, Reason::ActiveMembership, Some((self.from, self.until))),
            now if now < self.grace_until => (Status::Active, Reason::ActiveMembership, Some((self.from, self.grace_until))),
            _ => (Status::Expired, Reason::EntitlementExpired, Some((self.from, self.until))),
        };
        Answer { status, reason, source: Source::MembershipBridge, window, receipt_id: self.receipt_id, last_payment_id: self.payment_id }
    }
}

#[cfg(test)]
mod tests;
