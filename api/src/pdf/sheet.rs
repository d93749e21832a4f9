//! The layout of the page, from top to bottom.

use super::{
    Sheet,
    page::{Colour, Pen, Place, Style},
    qr,
    typeface::{Typefaces, Weight},
};
use pdf_writer::types::StructRole;

/// A4, in points.
pub const WIDTH: f32 = 595.28;
/// A4, in points.
pub const HEIGHT: f32 = 841.89;

const MARGIN: f32 = 52.0;
const INNER: f32 = WIDTH - 2.0 * MARGIN;
const GUTTER: f32 = 24.0;
const COLUMN: f32 = (INNER - GUTTER) / 2.0;
const LABEL: f32 = 104.0;
const CODE: f32 = 112.0;
/// Lines of seller and buyer at most, so that all fits the page.
const PARTY_LINES: usize = 11;

const INK: Colour = [17, 24, 39];
const GREY: Colour = [92, 101, 116];
const RULE: Colour = [221, 225, 231];
/// Where the merchant has no colour of his own.
const ACCENT: Colour = [31, 92, 178];

const LACKING: &str =
    "An empty box stands for a character that this document's typeface lacks; copying the text gives the character itself.";
const STATEMENT: &str = "This receipt states a transfer between the wallets named above. Hilt recorded it and signed the record. What was \
sold, and what is owed in tax, is between the merchant and the buyer.";

/// Draws the page.
pub fn draw<'t>(sheet: &Sheet, typefaces: &'t Typefaces) -> Pen<'t> {
    let mut layout = Layout { sheet, typefaces, pen: Pen::new(typefaces, HEIGHT), accent: sheet.accent.unwrap_or(ACCENT) };
    layout.pen.bar(0.0, 0.0, WIDTH, 6.0, layout.accent);
    let below = layout.head(44.0);
    let below = layout.parties(below + 18.0);
    let below = layout.amounts(below + 18.0);
    let below = layout.rows("On chain", &sheet.chain, below + 20.0, INNER);
    layout.proof(below + 16.0);
    layout.foot();
    layout.pen
}

const BODY: Style = Style { weight: Weight::Regular, size: 9.0, leading: 13.0, colour: INK };
const SMALL: Style = Style { weight: Weight::Regular, size: 8.0, leading: 11.5, colour: GREY };
const FINE: Style = Style { weight: Weight::Regular, size: 7.0, leading: 10.0, colour: GREY };

fn bold(size: f32, leading: f32, colour: Colour) -> Style {
    Style { weight: Weight::SemiBold, size, leading, colour }
}

struct Layout<'s, 't> {
    sheet: &'s Sheet,
    typefaces: &'t Typefaces,
    pen: Pen<'t>,
    accent: Colour,
}

impl Layout<'_, '_> {
    /// The merchant on the left, the kind of document with number and date on the right.
    fn head(&mut self, top: f32) -> f32 {
        let left = Place { x: MARGIN, y: top, width: COLUMN + GUTTER };
        let large = bold(20.0, 25.0, INK);
        let name = if self.pen.lines(large, &self.sheet.merchant, left.width) > 2 { bold(14.0, 18.0, INK) } else { large };
        let name_ends = self.pen.text(StructRole::H1, left, name, &self.sheet.merchant, 4);
        let right = |y| Place { x: MARGIN + COLUMN + 2.0 * GUTTER, y, width: COLUMN - GUTTER };
        let kind = bold(13.0, 25.0, self.accent);
        let mut y = self.pen.right(StructRole::P, right(top), kind, "Receipt");
        if let Some(number) = &self.sheet.invoice_number {
            y = self.pen.right(StructRole::P, right(y), BODY, &format!("Invoice {number}"));
        }
        y = self.pen.right(StructRole::P, right(y), SMALL, &self.sheet.issued);
        name_ends.max(y)
    }

    /// Seller and buyer, side by side.
    fn parties(&mut self, top: f32) -> f32 {
        let seller = self.party("From", &self.sheet.merchant_lines, MARGIN, top);
        let buyer = self.party("Billed to", &self.sheet.buyer_lines, MARGIN + COLUMN + GUTTER, top);
        seller.max(buyer)
    }

    fn party(&mut self, title: &str, lines: &[String], x: f32, top: f32) -> f32 {
        if lines.is_empty() {
            return top;
        }
        let mut y = self.heading(title, x, top, COLUMN);
        let mut left = PARTY_LINES;
        for (index, line) in lines.iter().enumerate() {
            let style = if index == 0 { bold(9.0, 13.0, INK) } else { BODY };
            // Those that follow have a line each, however long this one is.
            let most = left.saturating_sub(lines.len() - index - 1).clamp(1, 3);
            let begins = y;
            y = self.pen.text(StructRole::P, Place { x, y, width: COLUMN }, style, line, most);
            left = left.saturating_sub(((y - begins) / style.leading).round() as usize);
        }
        y
    }

    fn heading(&mut self, title: &str, x: f32, y: f32, width: f32) -> f32 {
        let style = bold(8.0, 15.0, self.accent);
        self.pen.text(StructRole::H2, Place { x, y, width }, style, title, 1)
    }

    /// What was bought, how the amount divides, and the amount.
    fn amounts(&mut self, top: f32) -> f32 {
        self.pen.bar(MARGIN, top, INNER, 0.75, RULE);
        let amount = Place { x: MARGIN + INNER * 0.62, y: top + 12.0, width: INNER * 0.38 };
        let item = Place { x: MARGIN, y: top + 12.0, width: INNER * 0.6 };
        let strong = bold(11.0, 15.0, INK);
        let mut y = self.pen.text(StructRole::P, item, strong, &self.sheet.item, 2);
        if let Some(note) = &self.sheet.item_note {
            y = self.pen.text(StructRole::P, Place { y, ..item }, SMALL, note, 2);
        }
        y = y.max(self.pen.right(StructRole::P, amount, strong, &self.sheet.total)) + 8.0;
        for (label, value) in &self.sheet.parts {
            self.pen.text(StructRole::P, Place { y, ..item }, SMALL, label, 1);
            y = self.pen.right(StructRole::P, Place { y, ..amount }, SMALL, value);
        }
        y += 6.0;
        self.pen.bar(MARGIN, y, INNER, 0.75, RULE);
        let total = bold(14.0, 20.0, INK);
        self.pen.text(StructRole::P, Place { y: y + 8.0, ..item }, total, "Total paid", 1);
        let wide = Place { x: MARGIN + INNER * 0.35, y: y + 8.0, width: INNER * 0.65 };
        y = self.pen.right(StructRole::P, wide, total, &self.sheet.total) + 8.0;
        self.pen.bar(MARGIN, y, INNER, 0.75, RULE);
        y
    }

    /// A titled list of labels and values.
    fn rows(&mut self, title: &str, rows: &[(String, String)], top: f32, width: f32) -> f32 {
        let mut y = self.heading(title, MARGIN, top, width);
        for (label, value) in rows {
            self.pen.text(StructRole::P, Place { x: MARGIN, y, width: LABEL - 8.0 }, SMALL, label, 1);
            let place = Place { x: MARGIN + LABEL, y, width: width - LABEL };
            let ink = Style { colour: INK, ..SMALL };
            y = self.pen.text(StructRole::P, place, ink, value, 3) + 1.5;
        }
        y
    }

    /// What proves it, with the code beside it.
    fn proof(&mut self, top: f32) {
        let beside = INNER - CODE - GUTTER;
        let mut y = self.rows("Proof", &self.sheet.proof, top, beside);
        let x = MARGIN + INNER - CODE;
        if let Some(code) = qr::code(&self.sheet.page_url, x, top, CODE) {
            self.pen.figure(&code, INK, format!("QR code of {}", self.sheet.page_url));
        }
        y = self.heading("How to check this receipt", MARGIN, y + 10.0, beside);
        let page = format!("Scan the code or open {}", self.sheet.page_url);
        y = self.pen.text(StructRole::P, Place { x: MARGIN, y, width: beside }, SMALL, &page, 2);
        let y = y.max(top + CODE) + 2.0;
        self.pen.text(StructRole::P, Place { x: MARGIN, y, width: INNER }, SMALL, &self.sheet.offline, 4);
    }

    fn foot(&mut self) {
        let place = |y| Place { x: MARGIN, y, width: INNER };
        let top = HEIGHT - 74.0;
        self.pen.bar(MARGIN, top - 8.0, INNER, 0.75, RULE);
        let y = self.pen.text(StructRole::P, place(top), FINE, &self.sheet.source, 2);
        let y = self.pen.text(StructRole::P, place(y), FINE, STATEMENT, 2);
        if self.lacks_a_character() {
            self.pen.text(StructRole::P, place(y), FINE, LACKING, 1);
        }
    }

    fn lacks_a_character(&self) -> bool {
        let Sheet { merchant, merchant_lines, buyer_lines, item, item_note, invoice_number, .. } = self.sheet;
        let optional = [item_note, invoice_number].into_iter().flatten();
        let texts = [merchant, item].into_iter().chain(merchant_lines).chain(buyer_lines).chain(optional);
        texts.into_iter().any(|text| !self.typefaces.regular.covers(text))
    }
}
