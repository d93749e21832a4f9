//! The document's typeface: shaping, measuring and breaking of lines.

use rustybuzz::{Face, Feature, UnicodeBuffer, ttf_parser::Tag};
use std::ops::Range;

const REGULAR: &[u8] = include_bytes!("../../fonts/Inter-Regular.otf");
const SEMI_BOLD: &[u8] = include_bytes!("../../fonts/Inter-SemiBold.otf");
/// What stands for a character that the typeface lacks.
const LACKING: char = '\u{25a1}';

/// A weight.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Weight {
    /// For text.
    Regular,
    /// For what stands out.
    SemiBold,
}

/// Both weights.
pub struct Typefaces {
    /// For text.
    pub regular: Typeface,
    /// For what stands out.
    pub semi_bold: Typeface,
}

impl Typefaces {
    /// The typefaces that are part of the program; `None` if they were damaged.
    pub fn load() -> Option<Self> {
        Some(Typefaces { regular: Typeface::load(REGULAR)?, semi_bold: Typeface::load(SEMI_BOLD)? })
    }

    /// One of them.
    pub fn get(&self, weight: Weight) -> &Typeface {
        match weight {
            Weight::Regular => &self.regular,
            Weight::SemiBold => &self.semi_bold,
        }
    }
}

/// One weight.
pub struct Typeface {
    /// Its tables.
    pub face: Face<'static>,
    /// Its file.
    pub bytes: &'static [u8],
    em: f32,
}

/// A shaped line.
pub struct Line {
    /// As it is drawn: without characters that the typeface lacks.
    pub drawn: String,
    /// As it was written, when that differs.
    pub written: Option<String>,
    /// Its glyphs.
    pub glyphs: Vec<Glyph>,
    /// Its width at font size 1.
    pub width: f32,
}

/// A glyph of a line.
pub struct Glyph {
    /// Its number in the typeface.
    pub id: u16,
    /// To the next one, at font size 1.
    pub advance: f32,
    /// Which part of the drawn text it shows.
    pub text: Range<usize>,
}

impl Typeface {
    fn load(bytes: &'static [u8]) -> Option<Self> {
        let face = Face::from_slice(bytes, 0)?;
        let em = face.units_per_em() as f32;
        Some(Typeface { face, bytes, em })
    }

    /// `units` of the typeface at font size 1.
    pub fn scaled(&self, units: impl Into<f32>) -> f32 {
        units.into() / self.em
    }

    /// Whether every character of `text` can be drawn.
    pub fn covers(&self, text: &str) -> bool {
        text.chars().all(|c| c.is_whitespace() || self.face.glyph_index(c).is_some())
    }

    /// `text` as one line.
    pub fn line(&self, text: &str) -> Line {
        let visible = |c: char| match c {
            c if c.is_whitespace() || c.is_control() => ' ',
            c if self.face.glyph_index(c).is_some() => c,
            _ => LACKING,
        };
        let drawn: String = text.chars().map(visible).collect();
        let mut buffer = UnicodeBuffer::new();
        buffer.push_str(&drawn);
        buffer.set_direction(rustybuzz::Direction::LeftToRight);
        // Every character as it is: alternates would show the x between two digits of a hash as a multiplication sign.
        let plain = [b"calt", b"liga", b"clig"].map(|tag| Feature::new(Tag::from_bytes(tag), 0, ..));
        let shaped = rustybuzz::shape(&self.face, &plain, buffer);
        let infos = shaped.glyph_infos();
        let mut glyphs = Vec::with_capacity(infos.len());
        for (index, (info, at)) in infos.iter().zip(shaped.glyph_positions()).enumerate() {
            let start = info.cluster as usize;
            let end = infos[index..].iter().map(|next| next.cluster as usize).find(|next| *next > start).unwrap_or(drawn.len());
            // A typeface has fewer than 65,536 glyphs.
            glyphs.push(Glyph { id: info.glyph_id as u16, advance: at.x_advance as f32 / self.em, text: start..end });
        }
        let width = glyphs.iter().map(|glyph| glyph.advance).sum();
        Line { written: (drawn != text).then(|| text.to_owned()), drawn, glyphs, width }
    }

    /// `text` in lines of at most `width` at font size 1, broken at blanks, and inside a word only where one is longer than a line.
    pub fn lines(&self, text: &str, width: f32) -> Vec<Line> {
        let mut lines = Vec::new();
        let mut current = String::new();
        for word in text.split_whitespace() {
            let joined = if current.is_empty() { word.to_owned() } else { format!("{current} {word}") };
            if self.line(&joined).width <= width {
                current = joined;
                continue;
            }
            if !current.is_empty() {
                lines.push(std::mem::take(&mut current));
            }
            let mut pieces = self.pieces(word, width);
            current = pieces.pop().unwrap_or_default();
            lines.append(&mut pieces);
        }
        if !current.is_empty() {
            lines.push(current);
        }
        lines.iter().map(|line| self.line(line)).collect()
    }

    /// A word in pieces of at most `width`.
    fn pieces(&self, word: &str, width: f32) -> Vec<String> {
        let line = self.line(word);
        let mut starts = vec![0];
        let mut filled = 0.0;
        for glyph in &line.glyphs {
            if filled + glyph.advance > width && filled > 0.0 {
                starts.push(line.drawn[..glyph.text.start].chars().count());
                filled = 0.0;
            }
            filled += glyph.advance;
        }
        let letters: Vec<char> = word.chars().collect();
        let ends = starts.iter().skip(1).copied().chain([letters.len()]);
        starts.iter().zip(ends).map(|(start, end)| letters[*start..end].iter().collect()).collect()
    }

    /// At most `most` lines; what is left over is cut with an ellipsis.
    pub fn lines_at_most(&self, text: &str, width: f32, most: usize) -> Vec<Line> {
        let mut lines = self.lines(text, width);
        if lines.len() > most {
            lines.truncate(most);
            if let Some(last) = lines.pop() {
                let mut kept = last.written.unwrap_or(last.drawn);
                while !kept.is_empty() && self.line(&format!("{kept}…")).width > width {
                    kept.pop();
                }
                lines.push(self.line(&format!("{}…", kept.trim_end())));
            }
        }
        lines
    }
}
