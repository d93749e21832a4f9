//! Changing an access product that exists (RT-059).

use super::{Rejection, in_order};
use crate::check::{LONGEST_DAYS, filled, price};
use events::vocab::{
    event::{AccessProductActivated, AccessProductChange, AccessProductCreated, AccessProductPaused, AccessProductUpdated},
    rail::RailId,
    stream::Fact,
    words::ProductStatus,
};

pub use crate::product::Said;

/// What a request says of an access product; what is `None` it does not say. Payout wallet, app and the merchant's own id never change.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Change {
    /// Shown to buyers.
    pub title: Option<String>,
    /// Shown to buyers.
    pub description: Said<String>,
    /// The price in minor units. Sessions that are open keep theirs.
    pub amount: Option<u64>,
    /// How long a payment gives access. Sessions that are open keep theirs.
    pub entitlement_duration_days: Option<u32>,
    /// The rail used when none is named.
    pub default_rail: Option<RailId>,
    /// Policy, `"all"` already expanded.
    pub allowed_rails: Option<Vec<RailId>>,
    /// Whether it sells.
    pub status: Option<ProductStatus>,
    /// Whether it moves real money.
    pub livemode: bool,
    /// The merchant's explicit word, in this request.
    pub live_mode_confirmed: bool,
}

impl Change {
    pub(super) fn facts(self, current: &AccessProductCreated) -> Result<Vec<Fact>, Rejection> {
        let (livemode, confirmed) = (self.livemode, self.live_mode_confirmed);
        let next = self.on(current)?;
        let changes = changes(current, &next);
        let status = next.status;
        let changed = !changes.is_empty() || status != current.status;
        if livemode && status == ProductStatus::Active && changed && !confirmed {
            return Err(Rejection::LiveModeConfirmationRequired);
        }
        let access_product_id = current.access_product_id;
        let mut facts: Vec<Fact> = Vec::new();
        if !changes.is_empty() {
            facts.push(AccessProductUpdated { access_product_id, changes }.into());
        }
        match (current.status, status) {
            (ProductStatus::Paused, ProductStatus::Active) => {
                facts.push(AccessProductActivated { access_product_id, live_mode_confirmed: confirmed }.into());
            }
            (ProductStatus::Active, ProductStatus::Paused) => facts.push(AccessProductPaused { access_product_id }.into()),
            (ProductStatus::Active, ProductStatus::Active) | (ProductStatus::Paused, ProductStatus::Paused) => {}
        }
        Ok(facts)
    }

    /// `current` with what this says, every rule checked.
    fn on(self, current: &AccessProductCreated) -> Result<AccessProductCreated, Rejection> {
        let title = match self.title {
            None => current.title.clone(),
            Some(title) => filled(&title).ok_or(Rejection::TitleRequired)?,
        };
        let amount = match self.amount {
            None => current.amount,
            Some(units) => price(units).ok_or(Rejection::AmountOutOfRange)?,
        };
        let days = self.entitlement_duration_days.unwrap_or(current.entitlement_duration_days);
        if !(1..=LONGEST_DAYS).contains(&days) {
            return Err(Rejection::DurationOutOfRange);
        }
        let default_rail = self.default_rail.unwrap_or(current.default_rail);
        let allowed_rails = self.allowed_rails.map_or_else(|| current.allowed_rails.clone(), |rails| in_order(&rails));
        if !allowed_rails.contains(&default_rail) {
            return Err(Rejection::DefaultRailNotAllowed);
        }
        Ok(AccessProductCreated {
            title,
            description: self.description.unwrap_or_else(|| current.description.clone()),
            amount,
            entitlement_duration_days: days,
            default_rail,
            allowed_rails,
            status: self.status.unwrap_or(current.status),
            ..current.clone()
        })
    }
}

fn changes(current: &AccessProductCreated, next: &AccessProductCreated) -> Vec<AccessProductChange> {
    use AccessProductChange as To;
    let all = [
        (current.title != next.title).then(|| To::Title(next.title.clone())),
        (current.description != next.description).then(|| To::Description(next.description.clone())),
        (current.amount != next.amount).then_some(To::Amount(next.amount)),
        (current.entitlement_duration_days != next.entitlement_duration_days)
            .then_some(To::EntitlementDurationDays(next.entitlement_duration_days)),
        (current.default_rail != next.default_rail).then_some(To::DefaultRail(next.default_rail)),
        (current.allowed_rails != next.allowed_rails).then(|| To::AllowedRails(next.allowed_rails.clone())),
    ];
    all.into_iter().flatten().collect()
}
