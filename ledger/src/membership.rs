//! Memberships (TR-14, TR-15): a person's running access to a product.

use crate::{
    Cited,
    check::{LONGEST_DAYS, rejections},
};
use events::{
    decider::Decider,
    vocab::{
        bytes::SolanaAddress,
        event::{Event, MembershipActivated, MembershipRenewed, MembershipTerms, PaymentConfirmed},
        id::{AccessProductId, MembershipId, PaymentId, ProductId, SubjectId},
        stream::Fact,
        time::Timestamp,
        words::Platform,
    },
};

/// A membership.
#[derive(Clone, PartialEq, Debug, Default)]
pub enum Membership {
    /// Nobody has paid.
    #[default]
    Absent,
    /// Paid at least once.
    Paid {
        /// Its id.
        membership_id: MembershipId,
        /// For what.
        product_id: ProductId,
        /// By whom.
        subject_id: SubjectId,
        /// The payments so far, first to last.
        payments: Vec<PaymentId>,
        /// Until when it is paid.
        period_end: Timestamp,
    },
}

/// What is asked of a membership.
#[derive(Clone, PartialEq, Debug)]
pub enum Command {
    /// A payment for it is confirmed. The same payment again changes nothing.
    Pay(Box<Pay>),
}

/// See [`Command::Pay`].
#[derive(Clone, PartialEq, Debug)]
pub struct Pay {
    /// Its id, derived from product and person.
    pub membership_id: MembershipId,
    /// The access product, when the payment is for one.
    pub access_product_id: Option<AccessProductId>,
    /// Who bought.
    pub subject_id: SubjectId,
    /// How long a payment lasts.
    pub terms: MembershipTerms,
    /// Where the member gets in.
    pub platform: Option<Platform>,
    /// The event that permits it.
    pub payment: Cited<PaymentConfirmed>,
    /// Now.
    pub now: Timestamp,
}

rejections! {
    /// Why a payment does not count for a membership.
    pub enum Rejection {
        /// A period without a length.
        InvalidMembershipConfig = "invalid_membership_config", "membership_config.billing_interval_days is from 1 to 36500";
        /// The payment is for another product or person.
        MembershipMismatch {
            /// Which field differs.
            field: &'static str,
        } = "membership_mismatch", "{field} of the payment is not the membership's";
    }
}

impl Decider for Membership {
    type State = Self;
    type Command = Command;
    type Rejection = Rejection;

    fn decide(state: &Self, command: Command) -> Result<Vec<Fact>, Rejection> {
        let Command::Pay(pay) = command;
        if !(1..=LONGEST_DAYS).contains(&pay.terms.billing_interval_days) {
            return Err(Rejection::InvalidMembershipConfig);
        }
        if pay.membership_id != MembershipId::of(pay.payment.event.product_id, pay.subject_id) {
            return Err(Rejection::MembershipMismatch { field: "membership_id" });
        }
        match state {
            Membership::Absent => Ok(vec![pay.activated().into()]),
            Membership::Paid { membership_id, .. } if pay.membership_id != *membership_id => {
                Err(Rejection::MembershipMismatch { field: "membership_id" })
            }
            Membership::Paid { payments, period_end, .. } => {
                if payments.contains(&pay.payment.event.payment_id) {
                    return Ok(vec![]);
                }
                Ok(vec![pay.renewed(*period_end).into()])
            }
        }
    }

    fn evolve(state: Self, event: &Event) -> Self {
        match (state, event) {
            (Membership::Absent, Event::MembershipActivated(first)) => Membership::Paid {
                membership_id: first.membership_id,
                product_id: first.product_id,
                subject_id: first.subject_id,
                payments: vec![first.payment_id],
                period_end: first.period_end,
            },
            (Membership::Paid { membership_id, product_id, subject_id, mut payments, .. }, Event::MembershipRenewed(next)) => {
                payments.push(next.payment_id);
                Membership::Paid { membership_id, product_id, subject_id, payments, period_end: next.period_end }
            }
            (state, _) => state,
        }
    }
}

impl Pay {
    fn wallet(&self) -> SolanaAddress {
        self.payment.event.payer_wallet
    }

    fn activated(&self) -> MembershipActivated {
        MembershipActivated {
            membership_id: self.membership_id,
            product_id: self.payment.event.product_id,
            access_product_id: self.access_product_id,
            subject_id: self.subject_id,
            wallet: self.wallet(),
            payment_id: self.payment.event.payment_id,
            tx_signature: self.payment.event.tx_signature,
            period_start: self.now,
            period_end: self.now.plus_days(self.terms.billing_interval_days),
            grace_period_days: self.terms.grace_period_days,
            renewal_reminder_offsets_days: self.terms.renewal_reminder_offsets_days.clone(),
            platform: self.platform,
            payment_event: self.payment.id,
        }
    }

    /// Days already paid for are not lost.
    fn renewed(&self, current_end: Timestamp) -> MembershipRenewed {
        let period_start = self.now.max(current_end);
        MembershipRenewed {
            membership_id: self.membership_id,
            product_id: self.payment.event.product_id,
            subject_id: self.subject_id,
            wallet: self.wallet(),
            payment_id: self.payment.event.payment_id,
            tx_signature: self.payment.event.tx_signature,
            period_start,
            period_end: period_start.plus_days(self.terms.billing_interval_days),
            grace_period_days: self.terms.grace_period_days,
            renewal_reminder_offsets_days: self.terms.renewal_reminder_offsets_days.clone(),
            platform: self.platform,
            payment_event: self.payment.id,
        }
    }
}
