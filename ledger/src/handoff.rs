//! Handoffs (TR-11, RT-008, RT-011..013): a buyer who is known before checkout, through the merchant or through Discord.

use crate::check::rejections;
use events::{
    decider::Decider,
    vocab::{
        event::{DiscordConnectStarted, Event, HandoffIssued, HandoffResolved},
        id::{HandoffId, ProductId, SubjectId},
        personal::Personal,
        stream::Fact,
        time::Timestamp,
        words::{HandoffSource, IdentityType},
    },
};

/// How long a handoff may live, in minutes.
pub const MINUTES: std::ops::RangeInclusive<u32> = 1..=1_440;
/// How long one lives unless the merchant says otherwise, in minutes.
pub const DEFAULT_MINUTES: u32 = 30;
/// How long a buyer may take at Discord.
pub const DISCORD_SECONDS: i64 = 600;

/// A handoff.
#[derive(Clone, PartialEq, Debug, Default)]
pub enum Handoff {
    /// There is none.
    #[default]
    Absent,
    /// The buyer is at Discord.
    Started {
        /// For which product, and until when.
        started: DiscordConnectStarted,
    },
    /// The buyer is known.
    Issued {
        /// To whom and until when.
        issued: Box<HandoffIssued>,
        /// Whether a checkout page has read it.
        resolved: bool,
    },
}

/// What is asked of a handoff.
#[derive(Clone, PartialEq, Debug)]
pub enum Command {
    /// Send a buyer to Discord.
    Start {
        /// Its id.
        handoff_id: HandoffId,
        /// What he wants to buy.
        product_id: ProductId,
        /// Now.
        now: Timestamp,
    },
    /// Issue it.
    Issue(Box<Issue>),
    /// A checkout page reads it; again changes nothing.
    Resolve {
        /// Now.
        now: Timestamp,
    },
}

/// See [`Command::Issue`].
#[derive(Clone, PartialEq, Debug)]
pub struct Issue {
    /// Its id.
    pub handoff_id: HandoffId,
    /// What may be bought.
    pub product_id: ProductId,
    /// The person whose identity it is.
    pub subject_id: SubjectId,
    /// Who says so.
    pub source: HandoffSource,
    /// The kind of identity.
    pub identity_type: IdentityType,
    /// The identity, sealed.
    pub identity: Personal,
    /// How long it lives.
    pub minutes: u32,
    /// Now.
    pub now: Timestamp,
}

rejections! {
    /// Why a command is refused.
    pub enum Rejection {
        /// There is no such handoff, or the buyer has not come back from Discord.
        NotFound = "invalid_handoff_token", "there is no such handoff";
        /// One flow, one handoff.
        AlreadyExists = "already_exists", "the handoff exists";
        /// A handoff of that flow is for another product or source.
        FlowMismatch = "conflict", "the handoff was started for another product or by another way";
        /// Too late.
        Expired = "handoff_expired", "the handoff has expired";
        /// Outside [`MINUTES`].
        MinutesOutOfRange = "validation_failed", "expires_in_minutes: is an integer from 1 to 1440";
    }
}

impl Decider for Handoff {
    type State = Self;
    type Command = Command;
    type Rejection = Rejection;

    fn decide(state: &Self, command: Command) -> Result<Vec<Fact>, Rejection> {
        use Handoff::{Absent, Issued, Started};
        match (state, command) {
            (Absent, Command::Start { handoff_id, product_id, now }) => {
                Ok(vec![DiscordConnectStarted { handoff_id, product_id, expires_at: now.plus_seconds(DISCORD_SECONDS) }.into()])
            }
            (Started { .. } | Issued { .. }, Command::Start { .. }) => Err(Rejection::AlreadyExists),

            (Absent, Command::Issue(issue)) if issue.source == HandoffSource::Merchant => issue.fact(),
            (Started { started }, Command::Issue(issue)) if issue.source == HandoffSource::Discord => {
                if started.product_id != issue.product_id {
                    return Err(Rejection::FlowMismatch);
                }
                if issue.now >= started.expires_at {
                    return Err(Rejection::Expired);
                }
                issue.fact()
            }
            (Issued { .. }, Command::Issue(_)) => Err(Rejection::AlreadyExists),
            (Absent | Started { .. }, Command::Issue(_)) => Err(Rejection::FlowMismatch),

            (Absent | Started { .. }, Command::Resolve { .. }) => Err(Rejection::NotFound),
            (Issued { issued, .. }, Command::Resolve { now }) if now >= issued.expires_at => Err(Rejection::Expired),
            (Issued { resolved: true, .. }, Command::Resolve { .. }) => Ok(vec![]),
            (Issued { issued, resolved: false }, Command::Resolve { now }) => {
                Ok(vec![HandoffResolved { handoff_id: issued.handoff_id, resolved_at: now }.into()])
            }
        }
    }

    fn evolve(state: Self, event: &Event) -> Self {
        match (state, event) {
            (Handoff::Absent, Event::DiscordConnectStarted(started)) => Handoff::Started { started: started.clone() },
            (Handoff::Absent | Handoff::Started { .. }, Event::HandoffIssued(issued)) => {
                Handoff::Issued { issued: Box::new(issued.clone()), resolved: false }
            }
            (Handoff::Issued { issued, .. }, Event::HandoffResolved(_)) => Handoff::Issued { issued, resolved: true },
            (state, _) => state,
        }
    }
}

impl Handoff {
    /// Who the buyer is and until when, once that is known.
    pub fn issued(&self) -> Option<&HandoffIssued> {
        match self {
            Handoff::Issued { issued, .. } => Some(issued),
            Handoff::Absent | Handoff::Started { .. } => None,
        }
    }
}

impl Issue {
    fn fact(self) -> Result<Vec<Fact>, Rejection> {
        if !MINUTES.contains(&self.minutes) {
            return Err(Rejection::MinutesOutOfRange);
        }
        let issued = HandoffIssued {
            handoff_id: self.handoff_id,
            product_id: self.product_id,
            subject_id: self.subject_id,
            source: self.source,
            identity_type: self.identity_type,
            expires_at: self.now.plus_seconds(i64::from(self.minutes) * 60),
        };
        Ok(vec![Fact::sealed(issued, self.subject_id, self.identity)])
    }
}
