//! The hosted pages in a real browser: the checkout, paid on a real local chain, and the receipt.

#[path = "pages/looks.rs"]
mod looks;
#[path = "pages/pays.rs"]
mod pays;
#[path = "pages/shop.rs"]
mod shop;
