//! Hosted products (TR-1).

use crate::check::{LONGEST_DAYS, filled, price, rejections};
use events::{
    decider::Decider,
    vocab::{
        bytes::SolanaAddress,
        event::{Asset, Branding, Event, MembershipConfig, MembershipTerms, ProductCreated},
        id::{AccessProductId, ProductId},
        money::Minor,
        stream::Fact,
        words::{DeliveryType, ProductType},
    },
};

/// A hosted product.
#[derive(Clone, PartialEq, Debug, Default)]
pub enum Product {
    /// Not created.
    #[default]
    Absent,
    /// Sells.
    Active(Box<ProductCreated>),
}

/// What is asked of a product.
#[derive(Clone, PartialEq, Debug)]
pub enum Command {
    /// Create it (RT-001, and as the backing product of RT-058).
    Create(Box<Create>),
}

/// See [`Command::Create`].
#[derive(Clone, PartialEq, Debug)]
pub struct Create {
    /// Its id.
    pub product_id: ProductId,
    /// Its public name in URLs: 1 to 64 of `a-z`, `0-9`, `-`.
    pub slug: String,
    /// What it sells.
    pub product_type: ProductType,
    /// Shown to buyers.
    pub title: String,
    /// Shown to buyers.
    pub description: Option<String>,
    /// The price in minor units; a tip jar has none.
    pub amount: Option<u64>,
    /// What is paid with.
    pub asset: Asset,
    /// Where the merchant's part goes.
    pub merchant_wallet: SolanaAddress,
    /// How access is handed over.
    pub delivery_type: Option<DeliveryType>,
    /// How memberships run, when there are any.
    pub membership: Option<MembershipConfig>,
    /// The access product that it backs.
    pub access_product_id: Option<AccessProductId>,
}

rejections! {
    /// Why a product is refused.
    pub enum Rejection {
        /// The slug is not usable in a URL.
        InvalidSlug = "invalid_slug", "slug is 1 to 64 of a-z, 0-9 and -";
        /// No title.
        TitleRequired = "title_required", "title is required";
        /// A payment link without a price.
        FixedAmountRequired = "fixed_amount_required", "a PAYMENT_LINK needs amount_minor_units";
        /// A price of 0 or beyond 2⁵³ − 1.
        AmountOutOfRange = "amount_out_of_range", "amount_minor_units is an integer from 1 to 9007199254740991";
        /// A membership without a length.
        InvalidMembershipConfig = "invalid_membership_config",
            "membership_config: billing_interval_days is from 1 to 36500, grace_period_days from 0 to 36500";
        /// The id is in use for another product.
        AlreadyExists = "already_exists", "the product exists with other content";
    }
}

impl Decider for Product {
    type State = Self;
    type Command = Command;
    type Rejection = Rejection;

    fn decide(state: &Self, command: Command) -> Result<Vec<Fact>, Rejection> {
        let Command::Create(create) = command;
        let created = create.event()?;
        match state {
            Product::Absent => Ok(vec![created.into()]),
            Product::Active(existing) if **existing == created => Ok(vec![]),
            Product::Active(_) => Err(Rejection::AlreadyExists),
        }
    }

    fn evolve(state: Self, event: &Event) -> Self {
        match event {
            Event::ProductCreated(created) => Product::Active(Box::new(created.clone())),
            _ => state,
        }
    }
}

impl Create {
    fn event(self) -> Result<ProductCreated, Rejection> {
        let in_url = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if !(1..=64).contains(&self.slug.len()) || !self.slug.chars().all(in_url) {
            return Err(Rejection::InvalidSlug);
        }
        let title = filled(&self.title).ok_or(Rejection::TitleRequired)?;
        let amount = match (self.product_type, self.amount) {
            (ProductType::PaymentLink, None) => return Err(Rejection::FixedAmountRequired),
            (ProductType::TipJar, None) => Minor::ZERO,
            (_, Some(units)) => price(units).ok_or(Rejection::AmountOutOfRange)?,
        };
        let runs =
            |terms: &MembershipTerms| (1..=LONGEST_DAYS).contains(&terms.billing_interval_days) && terms.grace_period_days <= LONGEST_DAYS;
        if !self.membership.as_ref().is_none_or(|config| runs(&config.terms)) {
            return Err(Rejection::InvalidMembershipConfig);
        }
        Ok(ProductCreated {
            product_id: self.product_id,
            slug: self.slug,
            product_type: self.product_type,
            title,
            description: self.description,
            image_url: None,
            amount,
            asset: self.asset,
            merchant_wallet: self.merchant_wallet,
            delivery_type: self.delivery_type,
            tip_presets: Vec::new(),
            max_payments: None,
            branding: Branding::default(),
            membership: self.membership,
            access_product_id: self.access_product_id,
            subject_id: None,
            quote: None,
        })
    }
}

/// Memberships of a length and nothing else, as access products have them.
pub fn plain_membership(days: u32) -> MembershipConfig {
    MembershipConfig {
        enabled: true,
        platform: None,
        access_mode: None,
        identity_type: None,
        identity_label: None,
        identity_required: false,
        terms: MembershipTerms { billing_interval_days: days, grace_period_days: 0, renewal_reminder_offsets_days: Vec::new() },
        platform_target_label: None,
        platform_target_id: None,
        platform_role_id: None,
        platform_channel_id: None,
    }
}
