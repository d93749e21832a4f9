//! What is asked of a membership, and why it may be refused.

use crate::{Cited, check::rejections, platform::Said};
use events::vocab::{
    event::{MembershipTerms, PaymentConfirmed},
    id::{AccessProductId, EntitlementId, MailId, MembershipId, SubjectId},
    personal::Personal,
    time::Timestamp,
    words::Platform,
};

/// What is asked of a membership.
#[derive(Clone, PartialEq, Debug)]
pub enum Command {
    /// A payment for it is confirmed (TR-14, TR-15). The same payment again changes nothing.
    Pay(Box<Pay>),
    /// The paid period is over (TR-16). Without days of grace it ends.
    EnterGrace {
        /// Now.
        now: Timestamp,
    },
    /// Grace is over too (TR-16).
    Expire {
        /// Now.
        now: Timestamp,
    },
    /// Give days away (TR-17): from the current end if that is ahead, else from now.
    Gift {
        /// 1 to [`super::LONGEST_GIFT_DAYS`].
        days: u32,
        /// Why, for the merchant.
        note: Option<String>,
        /// Now.
        now: Timestamp,
    },
    /// Keep the merchant's notes (TR-19); without a text there are none.
    SaveNotes {
        /// The text.
        notes: Option<String>,
    },
    /// Correct the handle (TR-19). The verified identity stays.
    UpdateProfile {
        /// The handle.
        platform_display: String,
    },
    /// End it (TR-18). What is ended already stays as it is.
    Revoke {
        /// A code such as `refund`.
        reason: String,
        /// Why, in words, for the merchant.
        note: Option<String>,
        /// Now.
        now: Timestamp,
    },
    /// Remind the member of the end of the period, if that is due (OPS-62): the nearest offset only, each once a period.
    Remind {
        /// The mail, where an address is known.
        mail_id: Option<MailId>,
        /// Now.
        now: Timestamp,
    },
    /// Let a pending entitlement of the same customer rest on it, while it is paid (TR-41).
    Link {
        /// The entitlement.
        entitlement_id: EntitlementId,
        /// Who and why.
        said: Said,
        /// Now.
        now: Timestamp,
    },
    /// The member will not go on after the period (OBJ-08).
    CancelRenewal,
    /// He will after all.
    ResumeRenewal,
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
    /// Who he is, as far as that is known.
    pub personal: Personal,
    /// The event that permits it.
    pub payment: Cited<PaymentConfirmed>,
    /// Now.
    pub now: Timestamp,
}

rejections! {
    /// Why a membership command is refused.
    pub enum Rejection {
        /// There is no such membership.
        NotFound = "membership_not_found", "there is no such membership";
        /// A period without a length.
        InvalidMembershipConfig = "invalid_membership_config", "membership_config.billing_interval_days: is from 1 to 36500";
        /// The payment is for another product or person.
        MembershipMismatch {
            /// Which field differs.
            field: &'static str,
        } = "membership_mismatch", "{field} of the payment is not the membership's";
        /// What is revoked takes no gifts and holds nothing up.
        Revoked = "membership_revoked", "the membership is revoked";
        /// What is over cannot be ended, has no renewal and holds nothing up.
        NotActive = "membership_not_active", "the membership is over";
        /// A gift of nothing, or of more than a year.
        GiftDaysOutOfRange = "gift_days_out_of_range", "days: is an integer from 1 to 366";
        /// A handle without a letter, or a very long one.
        DisplayRequired = "platform_display_required", "platform_display: is 1 to 200 characters";
        /// A text that is too long to keep.
        TextTooLong {
            /// Which.
            field: &'static str,
        } = "text_too_long", "{field}: has at most 5000 characters";
        /// No reason, or one that could say something about the person.
        ReasonRequired = "reason_required", "reason: is a code of 1 to 64 of a-z, 0-9 and _";
        /// The time has not come.
        NotDueYet = "not_expired_yet", "the membership's period is not over yet";
    }
}
