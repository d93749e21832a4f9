//! A merchant's colour, made safe: parsed strictly, and never used where it could not be read (WCAG 2.2, 1.4.3 and 1.4.11).
#![allow(clippy::float_arithmetic, reason = "colours, never money")]

use axum::{
    extract::Path,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use std::{fmt, str::FromStr};

/// The page's own colour, for merchants without one.
const DEFAULT: Colour = Colour([0x3d, 0x3a, 0xd4]);
/// What the stylesheet puts behind text, in a light and in a dark scheme; its `--sheet` is the same.
const LIGHT_SHEET: Colour = Colour([0xff, 0xff, 0xff]);
const DARK_SHEET: Colour = Colour([0x17, 0x1a, 0x21]);
const WHITE: Colour = Colour([0xff, 0xff, 0xff]);
const BLACK: Colour = Colour([0, 0, 0]);
/// Text on its background (AA); more than what the edge of a control needs.
const READABLE: f64 = 4.5;

/// An sRGB colour.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Colour([u8; 3]);

impl Default for Colour {
    fn default() -> Self {
        DEFAULT
    }
}

impl FromStr for Colour {
    type Err = ();

    /// Exactly six hexadecimal digits, with or without `#` before them.
    fn from_str(text: &str) -> Result<Self, ()> {
        let mut bytes = [0; 3];
        hex::decode_to_slice(text.strip_prefix('#').unwrap_or(text), &mut bytes).map_err(|_| ())?;
        Ok(Colour(bytes))
    }
}

impl fmt::Display for Colour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl Colour {
    /// Where the stylesheet of this colour is.
    pub fn href(self) -> String {
        format!("/pages/accent/{self}.css")
    }

    /// Relative luminance, 0 to 1.
    fn luminance(self) -> f64 {
        let linear = |channel: u8| {
            let part = f64::from(channel) / 255.0;
            if part <= 0.040_45 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
        };
        let [red, green, blue] = self.0.map(linear);
        0.2126 * red + 0.7152 * green + 0.0722 * blue
    }

    /// Contrast ratio, 1 to 21.
    fn contrast(self, other: Colour) -> f64 {
        let (a, b) = (self.luminance(), other.luminance());
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    /// Black or white, whichever is easier to read on this colour; it is always readable.
    fn ink(self) -> Colour {
        if self.contrast(WHITE) >= self.contrast(BLACK) { WHITE } else { BLACK }
    }

    /// The colour nearest to this one that can be read on `sheet`.
    fn readable_on(self, sheet: Colour) -> Colour {
        let towards = sheet.ink();
        let mixed = |step: u16| {
            let mix = |from: u8, to: u8| (u16::from(from) * (20 - step) + u16::from(to) * step) / 20;
            let channel = |at: usize| u8::try_from(mix(self.0[at], towards.0[at])).unwrap_or(u8::MAX);
            Colour([channel(0), channel(1), channel(2)])
        };
        (0..20).map(mixed).find(|colour| colour.contrast(sheet) >= READABLE).unwrap_or(towards)
    }

    /// The stylesheet of this colour. The policy of the pages allows no style inside a page, so it is a file of its own.
    fn stylesheet(self) -> String {
        let (ink, light, dark) = (self.ink(), self.readable_on(LIGHT_SHEET), self.readable_on(DARK_SHEET));
        format!(
            ":root{{--accent:#{self};--accent-ink:#{ink};--accent-line:#{light}}}\n\
             @media (prefers-color-scheme:dark){{:root{{--accent-line:#{dark}}}}}\n"
        )
    }
}

/// `GET /pages/accent/{colour}.css`.
pub async fn serve(Path(name): Path<String>) -> Response {
    let colour = name.strip_suffix(".css").filter(|hex| hex.len() == 6).and_then(|hex| hex.parse::<Colour>().ok());
    let Some(colour) = colour else { return StatusCode::NOT_FOUND.into_response() };
    let headers = [(header::CONTENT_TYPE, "text/css; charset=utf-8"), (header::CACHE_CONTROL, "public, max-age=86400")];
    (headers, colour.stylesheet()).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_colour_is_one() {
        assert_eq!("#1d4ed8".parse(), Ok(Colour([0x1d, 0x4e, 0xd8])));
        for text in ["", "#fff", "red", "#1d4ed8;", "#1d4ed8}body{display:none", "url(//x)", "#1d4edg", "##1d4ed8", "#1d4ed8 "] {
            assert_eq!(text.parse::<Colour>(), Err(()), "{text}");
        }
    }

    #[test]
    fn every_colour_can_be_read() {
        for step in 0..0x4000_u32 {
            // A prime stride walks through the whole cube without all of its 16 million colours.
            let [_, r, g, b] = (step * 1021 % 0x100_0000).to_be_bytes();
            let colour = Colour([r, g, b]);
            assert!(colour.contrast(colour.ink()) >= READABLE, "{colour}");
            for sheet in [LIGHT_SHEET, DARK_SHEET] {
                assert!(colour.readable_on(sheet).contrast(sheet) >= READABLE, "{colour} on {sheet}");
            }
        }
    }

    #[test]
    fn a_colour_that_can_be_read_stays_as_it_is() {
        let blue = Colour([0x1d, 0x4e, 0xd8]);
        assert_eq!(blue.readable_on(LIGHT_SHEET), blue);
        assert_eq!(Colour([0xff, 0xff, 0]).ink(), BLACK);
    }
}
