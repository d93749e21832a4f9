//! Access products (TR-30, RT-058, RT-059).

mod change;

pub use change::{Change, Said};

use crate::check::{LONGEST_DAYS, filled, own_id, price, rejections};
use events::{
    decider::Decider,
    vocab::{
        bytes::SolanaAddress,
        event::{AccessProductChange, AccessProductCreated, Event},
        id::{AccessProductId, AppId, ProductId},
        rail::RailId,
        stream::Fact,
        words::ProductStatus,
    },
};

/// An access product.
#[derive(Clone, PartialEq, Debug, Default)]
pub enum AccessProduct {
    /// Not created.
    #[default]
    Absent,
    /// Exists. Its facts are those of today; whether it sells is in its status.
    Existing(Box<AccessProductCreated>),
}

/// What is asked of an access product.
#[derive(Clone, PartialEq, Debug)]
pub enum Command {
    /// Create it.
    Create(Box<Create>),
    /// Change, activate or pause it (RT-059). What is so already is no change.
    Change(Box<Change>),
}

/// See [`Command::Create`].
#[derive(Clone, PartialEq, Debug)]
pub struct Create {
    /// Its id.
    pub access_product_id: AccessProductId,
    /// The hosted product that backs it.
    pub product_id: ProductId,
    /// The app that it belongs to.
    pub app_id: AppId,
    /// The merchant's own id of it, unique for an owner and mode by a claim.
    pub external_product_id: String,
    /// Shown to buyers.
    pub title: String,
    /// Shown to buyers.
    pub description: Option<String>,
    /// The price in minor units.
    pub amount: u64,
    /// Payout wallet of the backing product.
    pub merchant_wallet: SolanaAddress,
    /// How long a payment gives access.
    pub entitlement_duration_days: u32,
    /// The rail used when none is named.
    pub default_rail: RailId,
    /// Policy, `"all"` already expanded; repeated rails count once.
    pub allowed_rails: Vec<RailId>,
    /// Whether it sells.
    pub status: ProductStatus,
    /// Whether it moves real money.
    pub livemode: bool,
    /// The merchant's explicit word that it may.
    pub live_mode_confirmed: bool,
}

rejections! {
    /// Why an access product is refused.
    pub enum Rejection {
        /// There is no such product.
        NotFound = "product_not_found", "there is no such product";
        /// No id of the merchant's own.
        ExternalProductIdRequired = "external_product_id_required", "external_product_id: is required";
        /// That id is no line of text, or too long.
        ExternalProductIdInvalid {
            /// What it must be.
            rule: &'static str,
        } = "validation_failed", "external_product_id: {rule}";
        /// No title.
        TitleRequired = "title_required", "title: is required";
        /// A price of 0 or beyond 2⁵³ − 1.
        AmountOutOfRange = "amount_out_of_range", "amount_minor_units: is an integer from 1 to 9007199254740991";
        /// Access for no time, or for more than a hundred years.
        DurationOutOfRange = "entitlement_duration_out_of_range", "entitlement_duration_days: is an integer from 1 to 36500";
        /// The default is not among the allowed.
        DefaultRailNotAllowed = "default_rail_not_allowed", "default_rail: must be one of allowed_rails";
        /// Active and live, or a change of what is, without the merchant's explicit word (INV-85).
        LiveModeConfirmationRequired = "live_mode_confirmation_required",
            "live_mode_confirmed: must be true to sell a live product, and to change one that sells";
        /// The id is in use for another product.
        AlreadyExists = "already_exists", "the access product exists with other content";
    }
}

impl Decider for AccessProduct {
    type State = Self;
    type Command = Command;
    type Rejection = Rejection;

    fn decide(state: &Self, command: Command) -> Result<Vec<Fact>, Rejection> {
        match (state, command) {
            (AccessProduct::Absent, Command::Create(create)) => Ok(vec![create.event()?.into()]),
            (AccessProduct::Existing(existing), Command::Create(create)) => match create.event()? == **existing {
                true => Ok(vec![]),
                false => Err(Rejection::AlreadyExists),
            },
            (AccessProduct::Absent, Command::Change(_)) => Err(Rejection::NotFound),
            (AccessProduct::Existing(current), Command::Change(change)) => change.facts(current),
        }
    }

    fn evolve(state: Self, event: &Event) -> Self {
        match (state, event) {
            (AccessProduct::Absent, Event::AccessProductCreated(created)) => AccessProduct::Existing(Box::new(created.clone())),
            (AccessProduct::Existing(mut facts), Event::AccessProductUpdated(updated)) => {
                for change in &updated.changes {
                    apply(&mut facts, change);
                }
                AccessProduct::Existing(facts)
            }
            (AccessProduct::Existing(mut facts), Event::AccessProductActivated(activated)) => {
                facts.status = ProductStatus::Active;
                facts.live_mode_confirmed = activated.live_mode_confirmed;
                AccessProduct::Existing(facts)
            }
            (AccessProduct::Existing(mut facts), Event::AccessProductPaused(_)) => {
                facts.status = ProductStatus::Paused;
                AccessProduct::Existing(facts)
            }
            (state, _) => state,
        }
    }
}

/// `facts` after `change`.
fn apply(facts: &mut AccessProductCreated, change: &AccessProductChange) {
    match change {
        AccessProductChange::Title(title) => facts.title.clone_from(title),
        AccessProductChange::Description(description) => facts.description.clone_from(description),
        AccessProductChange::Amount(amount) => facts.amount = *amount,
        AccessProductChange::EntitlementDurationDays(days) => facts.entitlement_duration_days = *days,
        AccessProductChange::DefaultRail(rail) => facts.default_rail = *rail,
        AccessProductChange::AllowedRails(rails) => facts.allowed_rails.clone_from(rails),
    }
}

/// The rails of a policy once each, in the contract's order, so that the same policy is always the same bytes.
fn in_order(rails: &[RailId]) -> Vec<RailId> {
    RailId::ALL.iter().copied().filter(|rail| rails.contains(rail)).collect()
}

impl Create {
    fn event(self) -> Result<AccessProductCreated, Rejection> {
        let external_product_id = own_id(&self.external_product_id)
            .map_err(|rule| Rejection::ExternalProductIdInvalid { rule })?
            .ok_or(Rejection::ExternalProductIdRequired)?;
        let title = filled(&self.title).ok_or(Rejection::TitleRequired)?;
        let amount = price(self.amount).ok_or(Rejection::AmountOutOfRange)?;
        if !(1..=LONGEST_DAYS).contains(&self.entitlement_duration_days) {
            return Err(Rejection::DurationOutOfRange);
        }
        if !self.allowed_rails.contains(&self.default_rail) {
            return Err(Rejection::DefaultRailNotAllowed);
        }
        if self.livemode && self.status == ProductStatus::Active && !self.live_mode_confirmed {
            return Err(Rejection::LiveModeConfirmationRequired);
        }
        Ok(AccessProductCreated {
            access_product_id: self.access_product_id,
            product_id: self.product_id,
            app_id: self.app_id,
            external_product_id,
            title,
            description: self.description,
            amount,
            merchant_wallet: self.merchant_wallet,
            entitlement_duration_days: self.entitlement_duration_days,
            default_rail: self.default_rail,
            allowed_rails: in_order(&self.allowed_rails),
            status: self.status,
            live_mode_confirmed: self.live_mode_confirmed,
        })
    }
}
