//! Hilt's own wallets, as two people agree that they are to be (RT-107, OBJ-34). A record and nothing else: what the deployment pays to
//! is configured, and no event changes it (INV-49).

use crate::{
    Cited,
    check::rejections,
    platform::{self, Said},
};
use events::{
    decider::Decider,
    vocab::{
        event::{ApprovalApproved, Event, TreasuryWalletChange, TreasuryWalletChangeRecorded},
        stream::Fact,
    },
};

/// Changes of one rail's wallet that were recorded.
#[derive(Clone, PartialEq, Debug, Default)]
pub enum Treasury {
    /// None.
    #[default]
    Absent,
    /// The last one.
    Recorded(Box<TreasuryWalletChangeRecorded>),
}

/// What is asked of it.
#[derive(Clone, PartialEq, Debug)]
pub enum Command {
    /// Record what was approved.
    Record(Box<Record>),
}

/// See [`Command::Record`].
#[derive(Clone, PartialEq, Debug)]
pub struct Record {
    /// What the approval is of.
    pub change: TreasuryWalletChange,
    /// The event that permits it.
    pub approval: Cited<ApprovalApproved>,
    /// The caller's `confirm_no_live_plan_checkout`.
    pub confirmed: bool,
    /// Who records it and why.
    pub said: Said,
}

rejections! {
    /// Why it is refused.
    pub enum Rejection {
        /// The caller did not say that he knows what it does not do.
        ConfirmationRequired = "confirmation_required", "confirm_no_live_plan_checkout: must be true, for it records and changes no wallet";
        /// No reason was given.
        ReasonRequired = "reason_required", "reason is required";
        /// The reason is too long.
        ReasonTooLong = "text_too_long", "reason: has at most 500 characters";
    }
}

impl Decider for Treasury {
    type State = Self;
    type Command = Command;
    type Rejection = Rejection;

    fn decide(state: &Self, command: Command) -> Result<Vec<Fact>, Rejection> {
        let Command::Record(record) = command;
        if let Treasury::Recorded(last) = state
            && last.approval_event == record.approval.id
        {
            return Ok(vec![]);
        }
        if !record.confirmed {
            return Err(Rejection::ConfirmationRequired);
        }
        let Said { by, reason } = record.said.checked().map_err(|refused| match refused {
            platform::Rejection::ReasonRequired => Rejection::ReasonRequired,
            _ => Rejection::ReasonTooLong,
        })?;
        let TreasuryWalletChange { treasury_id, rail_id, wallet } = record.change;
        let ApprovalApproved { approval_id, by: approved_by, .. } = record.approval.event;
        let approval_event = record.approval.id;
        Ok(vec![TreasuryWalletChangeRecorded { treasury_id, rail_id, wallet, approval_id, approval_event, approved_by, by, reason }.into()])
    }

    fn evolve(state: Self, event: &Event) -> Self {
        match event {
            Event::TreasuryWalletChangeRecorded(recorded) => Treasury::Recorded(Box::new(recorded.clone())),
            _ => state,
        }
    }
}
