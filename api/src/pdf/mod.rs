//! A receipt as a PDF (RT-041): one A4 page with selectable text, tagged for readers that speak, and the same bytes for the same
//! receipt.
//!
//! The typeface is Inter (SIL Open Font License, `api/fonts/OFL.txt`), embedded as subsets. It covers Latin, Greek and Cyrillic with
//! Vietnamese; a character of another script is drawn as an empty box, keeps its identity for copying, and a note says so.
#![allow(clippy::float_arithmetic, reason = "lengths on paper; amounts arrive as text")]

mod file;
mod page;
mod qr;
mod sheet;
mod typeface;

pub use page::Colour;

use typeface::Typefaces;

/// What the document says. Every amount and time is text already, made from integers.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Sheet {
    /// What the merchant is called.
    pub merchant: String,
    /// More about him, a line each: legal name, address, tax id, e-mail, web site.
    pub merchant_lines: Vec<String>,
    /// His colour.
    pub accent: Option<Colour>,
    /// The merchant's invoice number.
    pub invoice_number: Option<String>,
    /// The buyer, a line each; the first is the name.
    pub buyer_lines: Vec<String>,
    /// What was bought.
    pub item: String,
    /// More about it.
    pub item_note: Option<String>,
    /// How the amount divides: label and amount.
    pub parts: Vec<(String, String)>,
    /// The amount with its asset.
    pub total: String,
    /// When it was issued, in words.
    pub issued: String,
    /// The same for the file's properties: year, month, day, hour, minute, second in UTC.
    pub issued_at: (u16, u8, u8, u8, u8, u8),
    /// What happened on chain: label and value.
    pub chain: Vec<(String, String)>,
    /// Who says so.
    pub source: String,
    /// The receipt, its hash, signature and key: label and value.
    pub proof: Vec<(String, String)>,
    /// The page where anyone can check it, as text and code.
    pub page_url: String,
    /// How to check it without that page.
    pub offline: String,
    /// For the file's properties.
    pub receipt_id: String,
}

/// The document could not be made, which is a fault of the program and not of the receipt.
#[derive(Debug, thiserror::Error)]
#[error("the PDF cannot be made: {0}")]
pub struct NotMade(String);

/// The document's bytes.
pub fn render(sheet: &Sheet) -> Result<Vec<u8>, NotMade> {
    let typefaces = Typefaces::load().ok_or_else(|| NotMade("a typeface is damaged".into()))?;
    let pen = sheet::draw(sheet, &typefaces);
    file::bytes(sheet, &typefaces, pen)
}

#[cfg(test)]
mod tests;
