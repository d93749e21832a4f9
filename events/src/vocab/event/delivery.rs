//! Handing over what was bought, its rescue, and mail. Links and addresses are sealed.

use crate::vocab::{id::*, time::Timestamp, words::*};
use serde::{Deserialize, Serialize};

/// A settled payment has something to hand over.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct DeliveryRequested {
    pub delivery_id: AccessDeliveryId,
    pub payment_id: PaymentId,
    pub product_id: ProductId,
    pub access_product_id: Option<AccessProductId>,
    pub membership_id: Option<MembershipId>,
    pub subject_id: SubjectId,
    pub delivery_type: DeliveryType,
    pub mode: DeliveryMode,
    /// The event that permits it: `payment.confirmed`.
    pub payment_event: EventId,
}

/// It is tried (TR-20).
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct DeliveryAttempted {
    pub delivery_id: AccessDeliveryId,
    pub payment_id: PaymentId,
    pub membership_id: Option<MembershipId>,
    /// 1, 2, 3 …
    pub attempt: u32,
    pub trigger: DeliveryTrigger,
    pub mode: DeliveryMode,
}

/// It is handed over (TR-20). Sealed beside it: the link, where one was made for this buyer.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct DeliverySent {
    pub delivery_id: AccessDeliveryId,
    pub payment_id: PaymentId,
    pub membership_id: Option<MembershipId>,
    pub attempt: u32,
    pub mode: DeliveryMode,
    pub sent_at: Timestamp,
}

/// It could not be (TR-20, INV-71). Sealed beside it: an invite, where the buyer must come in before he can be given his role.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct DeliveryFailed {
    pub delivery_id: AccessDeliveryId,
    pub payment_id: PaymentId,
    pub product_id: ProductId,
    pub access_product_id: Option<AccessProductId>,
    pub membership_id: Option<MembershipId>,
    pub subject_id: SubjectId,
    pub attempt: u32,
    /// What made the service try; the schedule's tries belong to the series that another trigger began.
    pub trigger: DeliveryTrigger,
    pub mode: DeliveryMode,
    /// A stable code.
    pub reason: String,
    pub failed_at: Timestamp,
}

/// The next try has a time (TR-21).
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct DeliveryRescueScheduled {
    pub delivery_id: AccessDeliveryId,
    pub payment_id: PaymentId,
    pub membership_id: Option<MembershipId>,
    /// Which attempt it will be.
    pub attempt: u32,
    pub due_at: Timestamp,
}

/// The merchant wants it tried now (TR-23).
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct DeliveryRetryRequested {
    pub delivery_id: AccessDeliveryId,
    pub payment_id: PaymentId,
    pub membership_id: Option<MembershipId>,
    /// Which attempt it will be.
    pub attempt: u32,
    /// How it is handed over now: the product's settings may have changed.
    pub mode: DeliveryMode,
}

/// Every scheduled try failed (TR-22).
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct DeliveryRescueExhausted {
    pub delivery_id: AccessDeliveryId,
    pub payment_id: PaymentId,
    pub membership_id: Option<MembershipId>,
    pub attempts: u32,
}

/// A person has to look (TR-22).
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct DeliveryManualReviewOpened {
    pub delivery_id: AccessDeliveryId,
    pub payment_id: PaymentId,
    pub membership_id: Option<MembershipId>,
}

/// The membership that it was for has ended: whoever a bot let in is to be taken out. In one append with the end.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct DeliveryWithdrawalRequested {
    pub delivery_id: AccessDeliveryId,
    pub payment_id: PaymentId,
    pub membership_id: MembershipId,
    /// The event that calls for it: `membership.expired` or `membership.revoked`.
    pub ended_event: EventId,
}

/// He is out, and an invite that was made for him opens nothing.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct DeliveryWithdrawn {
    pub delivery_id: AccessDeliveryId,
    pub payment_id: PaymentId,
    pub membership_id: MembershipId,
    /// 1, 2, 3 …
    pub attempt: u32,
    pub mode: DeliveryMode,
    /// Whether he was in until now.
    pub was_in: bool,
    pub withdrawn_at: Timestamp,
}

/// He could not be taken out.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct DeliveryWithdrawalFailed {
    pub delivery_id: AccessDeliveryId,
    pub payment_id: PaymentId,
    pub membership_id: MembershipId,
    pub attempt: u32,
    pub mode: DeliveryMode,
    /// A stable code.
    pub reason: String,
    pub failed_at: Timestamp,
    /// When it is tried again; absent when a person has to do it.
    pub retry_at: Option<Timestamp>,
}

/// He may stay after all.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct DeliveryWithdrawalCancelled {
    pub delivery_id: AccessDeliveryId,
    pub payment_id: PaymentId,
    pub membership_id: MembershipId,
    /// `access_runs_again` or `access_by_another_membership`.
    pub reason: String,
}

/// A mail is to go out. Sealed beside it: address, subject line and text.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct MailQueued {
    pub mail_id: MailId,
    pub kind: MailKind,
    pub subject_id: SubjectId,
    pub receipt_id: Option<ReceiptId>,
    pub membership_id: Option<MembershipId>,
}

/// The mail server took it.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct MailSent {
    pub mail_id: MailId,
    /// 1, 2, 3 …
    pub attempt: u32,
}

/// The mail server did not.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct MailFailed {
    pub mail_id: MailId,
    pub attempt: u32,
    /// A stable code.
    pub reason: String,
    /// When it is tried again; absent when it is given up.
    pub retry_at: Option<Timestamp>,
}
