//! What is asked of a hosted product, and why it may be refused.

use crate::check::rejections;
use events::vocab::{
    bytes::SolanaAddress,
    event::{Asset, PriceQuote},
    id::{AccessProductId, ProductId, SubjectId},
    words::{AccessMode, DeliveryType, IdentityType, Platform, ProductType},
};

/// What is asked of a product.
#[derive(Clone, PartialEq, Debug)]
pub enum Command {
    /// Create it (RT-001, and as the backing product of RT-058).
    Create(Box<Create>),
    /// Change what the request names (RT-004). What is so already is no change.
    Update(Box<Update>),
    /// Sell no more (RT-005). What it sold stays.
    Archive,
    /// Say what the access product says that it backs (RT-059).
    Follow(Box<Fields>),
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
    /// Everything that can be changed later.
    pub fields: Fields,
    /// The access product that it backs.
    pub access_product_id: Option<AccessProductId>,
    /// The merchant, whose key seals a delivery value.
    pub merchant: Option<SubjectId>,
    /// The price of the asset now, where one is needed.
    pub quote: Option<PriceQuote>,
}

/// See [`Command::Update`].
#[derive(Clone, PartialEq, Debug)]
pub struct Update {
    /// The type as the request repeats it; it never changes.
    pub product_type: Option<ProductType>,
    /// What the request names.
    pub fields: Fields,
    /// The delivery value as it is sealed in the log now.
    pub stored_delivery_value: Option<String>,
    /// The merchant, whose key seals a delivery value.
    pub merchant: SubjectId,
    /// The price of the asset now, where one is needed.
    pub quote: Option<PriceQuote>,
}

/// A field that a request may leave out (`None`), clear (`Some(None)`) or set.
pub type Said<T> = Option<Option<T>>;

/// What a request says of a product; what is `None` it does not say.
#[derive(Clone, PartialEq, Default)]
pub struct Fields {
    /// Shown to buyers.
    pub title: Option<String>,
    /// Shown to buyers.
    pub description: Said<String>,
    /// A picture of it.
    pub image_url: Said<String>,
    /// The price in the asset's minor unit.
    pub amount: Said<u64>,
    /// What is paid with.
    pub asset: Option<Asset>,
    /// Where the merchant's part goes.
    pub merchant_wallet: Option<SolanaAddress>,
    /// How access is handed over.
    pub delivery_type: Said<DeliveryType>,
    /// The private URL or invite that is handed over.
    pub delivery_value: Said<String>,
    /// Amounts that the page of a tip jar offers, in the asset's minor unit.
    pub tip_presets: Option<Vec<u64>>,
    /// How many payments it may have.
    pub max_payments: Said<u64>,
    /// How its page looks.
    pub branding: Said<BrandingFields>,
    /// How its memberships run.
    pub membership: Said<MembershipFields>,
}

impl std::fmt::Debug for Fields {
    /// Without the delivery value, which is private.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Fields").field("title", &self.title).field("amount", &self.amount).finish_non_exhaustive()
    }
}

/// What a request says of a product's branding.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct BrandingFields {
    /// Who sells.
    pub merchant_name: Said<String>,
    /// His logo.
    pub logo_url: Said<String>,
    /// A large picture.
    pub hero_image_url: Said<String>,
    /// The button after payment.
    pub success_button_label: Said<String>,
    /// `#rrggbb`.
    pub accent_hex: Said<String>,
}

/// What a request says of a product's memberships. Numbers are as the request has them, so that the rules name the field.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct MembershipFields {
    /// Whether a payment makes a membership.
    pub enabled: Said<bool>,
    /// Where members get in.
    pub platform: Said<Platform>,
    /// How they get in.
    pub access_mode: Said<AccessMode>,
    /// What identifies a buyer.
    pub identity_type: Said<IdentityType>,
    /// What the page calls it.
    pub identity_label: Said<String>,
    /// Whether a payment settles only with a verified identity.
    pub identity_required: Said<bool>,
    /// Days that a payment lasts.
    pub billing_interval_days: Said<i64>,
    /// Days of grace after them.
    pub grace_period_days: Said<i64>,
    /// Days before the end at which a member is reminded.
    pub renewal_reminder_offsets_days: Said<Vec<i64>>,
    /// What the page calls the place.
    pub platform_target_label: Said<String>,
    /// The Telegram chat or Discord guild that a bot lets members into.
    pub platform_target_id: Said<String>,
    /// The Discord role of a member.
    pub platform_role_id: Said<String>,
    /// The Discord channel that an invite leads to.
    pub platform_channel_id: Said<String>,
}

rejections! {
    /// Why a product command is refused.
    pub enum Rejection {
        /// There is no such product.
        NotFound = "product_not_found", "there is no such product";
        /// It sells no more and does not change.
        Archived = "product_archived", "the product is archived";
        /// Its access product says what it is.
        BackingProduct = "backing_product", "the product belongs to an access product and changes with it";
        /// It backs no access product that it could follow.
        NotBacking = "not_a_backing_product", "the product backs no access product";
        /// The slug is not usable in a URL.
        InvalidSlug = "invalid_slug", "slug: is 1 to 64 of a-z, 0-9 and -";
        /// No title.
        TitleRequired = "title_required", "title: is required";
        /// A payment link without a price in its asset.
        FixedAmountRequired = "fixed_amount_required", "amount_minor_units: is required of a PAYMENT_LINK, in the minor unit of its asset";
        /// A price of 0 or beyond 2⁵³ − 1.
        AmountOutOfRange = "amount_out_of_range", "amount_minor_units: is an integer from 1 to 9007199254740991";
        /// A field breaks a rule.
        InvalidField {
            /// Which.
            field: &'static str,
            /// What it must be.
            rule: &'static str,
        } = "validation_failed", "{field}: {rule}";
        /// A membership setting breaks a rule.
        InvalidMembershipConfig {
            /// Which.
            field: &'static str,
            /// What it must be.
            rule: &'static str,
        } = "invalid_membership_config", "membership_config.{field}: {rule}";
        /// The id is in use for another product.
        AlreadyExists = "already_exists", "the product exists with other content";
    }
}
