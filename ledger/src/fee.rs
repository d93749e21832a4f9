//! What Hilt takes (MON-13): the rate in force when a payment is asked for. It is written into the events (MON-15), so that a
//! replay never asks again.

use events::vocab::money::FeeBps;

/// Where a payment is made.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Surface {
    /// Hosted checkout of a workspace's own product.
    Workspace,
    /// A session of the access API, on the owner's paid plan if there is one. The sandbox plan is none: no money moves there.
    Access(Option<Plan>),
}

/// A paid plan of the access API.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Plan {
    /// Starter.
    Starter,
    /// Growth.
    Growth,
    /// Scale.
    Scale,
    /// Enterprise, at the rate agreed.
    Enterprise(FeeBps),
}

/// The configured rates.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Rates {
    /// Hosted checkout.
    pub workspace: FeeBps,
    /// Access API without a paid plan.
    pub no_plan: FeeBps,
    /// Starter.
    pub starter: FeeBps,
    /// Growth.
    pub growth: FeeBps,
    /// Scale.
    pub scale: FeeBps,
}

/// The launch rates: 10, 100, 100, 70 and 45 basis points.
pub const LAUNCH: Rates = Rates { workspace: bps(10), no_plan: bps(100), starter: bps(100), growth: bps(70), scale: bps(45) };

const fn bps(rate: u16) -> FeeBps {
    FeeBps::new(rate).expect("the launch rates are below 100 %")
}

/// A rate and where it came from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Rate {
    /// Basis points.
    pub bps: FeeBps,
    /// The `fee_policy` that events carry.
    pub policy: String,
}

/// The rate on `surface`.
pub fn rate(rates: &Rates, surface: Surface) -> Rate {
    let (bps, policy) = match surface {
        Surface::Workspace => (rates.workspace, "hilt_pay_workspace"),
        Surface::Access(None) => (rates.no_plan, "hilt_pay_api_no_plan"),
        Surface::Access(Some(Plan::Starter)) => (rates.starter, "hilt_pay_api_starter"),
        Surface::Access(Some(Plan::Growth)) => (rates.growth, "hilt_pay_api_growth"),
        Surface::Access(Some(Plan::Scale)) => (rates.scale, "hilt_pay_api_scale"),
        Surface::Access(Some(Plan::Enterprise(agreed))) => (agreed, "hilt_pay_api_enterprise"),
    };
    Rate { bps, policy: policy.to_owned() }
}
