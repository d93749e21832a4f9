//! What a checkout page shows of a product.

use super::accent::Colour;
use events::vocab::{
    bytes::SolanaAddress,
    id::ProductId,
    money::{Minor, Split},
    time::Timestamp,
    words::{IdentityType, ProductType},
};

/// A product as its buyers see it.
pub struct Offer {
    /// Its id.
    pub product_id: ProductId,
    /// Its public name.
    pub slug: String,
    /// A fixed price or a tip jar.
    pub kind: ProductType,
    /// What it is called.
    pub title: String,
    /// What it is.
    pub description: Option<String>,
    /// A picture of it.
    pub picture: Option<String>,
    /// What is to be paid; zero for a tip jar.
    pub amount: Minor,
    /// How `amount` is divided.
    pub split: Split,
    /// The asset's symbol.
    pub symbol: String,
    /// Its decimals.
    pub decimals: u8,
    /// Its mint; none for SOL.
    pub mint: Option<SolanaAddress>,
    /// Where the money goes.
    pub merchant_wallet: SolanaAddress,
    /// What `amount` is worth, and when that was so.
    pub worth: Option<(String, Timestamp)>,
    /// Amounts that a tip jar offers.
    pub presets: Vec<Minor>,
    /// Who sells.
    pub merchant: Option<String>,
    /// The seller's logo.
    pub logo: Option<String>,
    /// The seller's colour.
    pub accent: Colour,
    /// What the button after payment says.
    pub success_label: String,
    /// How many days a payment lasts, if it buys a membership.
    pub days: Option<u32>,
    /// The place that a member gets into.
    pub place: Option<String>,
    /// Who buyers are asked to be.
    pub identity: Option<Identity>,
    /// Why nothing can be paid now, if nothing can.
    pub closed: Option<Closed>,
}

/// Why nothing can be paid.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Closed {
    /// All that may be sold is sold.
    SoldOut,
    /// The rail is stopped, or not in production (INV-33).
    Stopped,
    /// The session has ended without access.
    Ended,
}

/// Who a buyer says he is.
pub struct Identity {
    /// Of what kind.
    pub kind: IdentityType,
    /// What it is called.
    pub label: String,
    /// Whether nothing is sold without it.
    pub required: bool,
    /// The merchant's Telegram bot, which sends buyers here with their identity.
    pub telegram_bot: Option<String>,
    /// Where Discord says who the buyer is.
    pub discord_url: Option<String>,
}
