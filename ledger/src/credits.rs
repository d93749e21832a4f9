//! Credits: a plan grants an owner some for each calendar month, and a receipt made by hand burns them.

use crate::check::rejections;
use events::{
    decider::Decider,
    vocab::{
        event::{CreditsBurned, CreditsGranted, Event},
        id::{OwnerId, ReceiptId},
        stream::Fact,
        time::Timestamp,
        words::BillingPlan,
    },
};
use std::collections::BTreeMap;

/// What a receipt made by hand costs.
pub const MANUAL_RECEIPT: u32 = 1;
const DAY: i64 = 86_400;

/// An owner's credits of the newest period that has any record.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Credits {
    /// The calendar month in UTC, `YYYY-MM`; empty before the first grant.
    pub period: String,
    /// The plan that granted them.
    pub plan: String,
    /// Granted for the period.
    pub granted: u32,
    /// Burned in it.
    pub burned: u32,
    /// The receipts that burned some in it, so that none pays twice.
    receipts: Vec<ReceiptId>,
}

/// What a plan allows.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Plan {
    /// Its name.
    pub name: String,
    /// Credits for a calendar month.
    pub credits: u32,
    /// Hosted products that may sell at a time; `None` when they are not limited.
    pub templates: Option<u32>,
}

/// The plans of a deployment.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Plans {
    /// What an owner has without a subscription.
    pub standard: Plan,
    /// Every plan, by its name.
    pub all: BTreeMap<String, Plan>,
}

impl Plans {
    /// The plan of an owner who has subscribed to `paid`, or to nothing. One that the deployment does not describe allows what the standard
    /// plan does.
    pub fn of(&self, paid: Option<BillingPlan>) -> Plan {
        let Some(name) = paid.map(BillingPlan::as_str) else { return self.standard.clone() };
        self.all.get(name).cloned().unwrap_or_else(|| Plan { name: name.to_owned(), ..self.standard.clone() })
    }
}

/// What is asked of an owner's credits.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Command {
    /// Pay for a receipt, after granting what the plan grants for the month of `now`.
    Burn {
        /// Whose credits.
        owner_id: OwnerId,
        /// The receipt; the same one again burns nothing.
        receipt_id: ReceiptId,
        /// How many.
        credits: u32,
        /// The owner's plan.
        plan: Plan,
        /// When.
        now: Timestamp,
    },
}

rejections! {
    /// Why credits are not burned.
    pub enum Rejection {
        /// Too few are left.
        Insufficient = "insufficient_credits", "no credits are left for this month";
    }
}

impl Decider for Credits {
    type State = Self;
    type Command = Command;
    type Rejection = Rejection;

    fn decide(state: &Self, command: Command) -> Result<Vec<Fact>, Rejection> {
        let Command::Burn { owner_id, receipt_id, credits, plan, now } = command;
        if state.receipts.contains(&receipt_id) {
            return Ok(vec![]);
        }
        let balance = state.balance(&plan, now);
        let left = balance.granted.saturating_sub(balance.burned);
        if left < credits {
            return Err(Rejection::Insufficient);
        }
        let grant = (balance.period != state.period || balance.granted != state.granted)
            .then(|| CreditsGranted { owner_id, period: balance.period, plan: plan.name, credits: plan.credits }.into());
        Ok(grant.into_iter().chain([CreditsBurned { owner_id, receipt_id, credits }.into()]).collect())
    }

    fn evolve(mut state: Self, event: &Event) -> Self {
        match event {
            Event::CreditsGranted(granted) => {
                let (period, plan) = (granted.period.clone(), granted.plan.clone());
                match period == state.period {
                    true => Credits { plan, granted: granted.credits, ..state },
                    false => Credits { period, plan, granted: granted.credits, burned: 0, receipts: Vec::new() },
                }
            }
            Event::CreditsBurned(burned) => {
                state.burned = state.burned.saturating_add(burned.credits);
                state.receipts.push(burned.receipt_id);
                state
            }
            _ => state,
        }
    }
}

/// What an owner has in a month.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Balance {
    /// The calendar month in UTC, `YYYY-MM`.
    pub period: String,
    /// Granted for it.
    pub granted: u32,
    /// Burned in it.
    pub burned: u32,
}

impl Credits {
    /// As a read model has them.
    pub fn recorded(period: String, plan: String, granted: u32, burned: u32) -> Self {
        Credits { period, plan, granted, burned, receipts: Vec::new() }
    }
    /// What is there at `now` under `plan`. A larger plan counts at once; a smaller one from the next month on.
    pub fn balance(&self, plan: &Plan, now: Timestamp) -> Balance {
        let period = period(now);
        match period == self.period {
            true => Balance { period, granted: self.granted.max(plan.credits), burned: self.burned },
            false => Balance { period, granted: plan.credits, burned: 0 },
        }
    }
}

/// The calendar month of `at` in UTC, `YYYY-MM`.
pub fn period(at: Timestamp) -> String {
    let date = at.datetime();
    format!("{:04}-{:02}", date.year(), u8::from(date.month()))
}

/// When the month of `at` is over.
pub fn next_period(at: Timestamp) -> Timestamp {
    let date = at.datetime().date();
    let days_left = i64::from(date.month().length(date.year()) - date.day()) + 1;
    let midnight = at.seconds() - at.seconds().rem_euclid(DAY);
    Timestamp::from_micros((midnight + days_left * DAY) * 1_000_000)
}
