//! Access products (TR-30, RT-058).

use crate::check::{LONGEST_DAYS, filled, price, rejections};
use events::{
    decider::Decider,
    vocab::{
        bytes::SolanaAddress,
        event::{AccessProductCreated, Event},
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
    /// Exists; whether it sells is in its status.
    Existing(Box<AccessProductCreated>),
}

/// What is asked of an access product.
#[derive(Clone, PartialEq, Debug)]
pub enum Command {
    /// Create it.
    Create(Box<Create>),
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
        /// No id of the merchant's own.
        ExternalProductIdRequired = "external_product_id_required", "external_product_id is required";
        /// No title.
        TitleRequired = "title_required", "title is required";
        /// A price of 0 or beyond 2⁵³ − 1.
        AmountOutOfRange = "amount_out_of_range", "amount_minor_units is an integer from 1 to 9007199254740991";
        /// Access for no time, or for more than a hundred years.
        DurationOutOfRange = "entitlement_duration_out_of_range", "entitlement_duration_days is an integer from 1 to 36500";
        /// The default is not among the allowed.
        DefaultRailNotAllowed = "default_rail_not_allowed", "default_rail must be one of allowed_rails";
        /// Active and live without the merchant's explicit word.
        LiveModeConfirmationRequired = "live_mode_confirmation_required", "an active live product needs live_mode_confirmed: true";
        /// The id is in use for another product.
        AlreadyExists = "already_exists", "the access product exists with other content";
    }
}

impl Decider for AccessProduct {
    type State = Self;
    type Command = Command;
    type Rejection = Rejection;

    fn decide(state: &Self, command: Command) -> Result<Vec<Fact>, Rejection> {
        let Command::Create(create) = command;
        let created = create.event()?;
        match state {
            AccessProduct::Absent => Ok(vec![created.into()]),
            AccessProduct::Existing(existing) if **existing == created => Ok(vec![]),
            AccessProduct::Existing(_) => Err(Rejection::AlreadyExists),
        }
    }

    fn evolve(state: Self, event: &Event) -> Self {
        match event {
            Event::AccessProductCreated(created) => AccessProduct::Existing(Box::new(created.clone())),
            _ => state,
        }
    }
}

impl Create {
    fn event(self) -> Result<AccessProductCreated, Rejection> {
        let external_product_id = filled(&self.external_product_id).ok_or(Rejection::ExternalProductIdRequired)?;
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
            // The contract's order, so that the same policy is always the same bytes.
            allowed_rails: RailId::ALL.iter().copied().filter(|rail| self.allowed_rails.contains(rail)).collect(),
            status: self.status,
            live_mode_confirmed: self.live_mode_confirmed,
        })
    }
}
