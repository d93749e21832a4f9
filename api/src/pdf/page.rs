//! Drawing on the page, each text with its place in the document's structure, so that it can be read aloud and copied.

use super::typeface::{Line, Typefaces, Weight};
use pdf_writer::{Content, Finish as _, Name, Str, TextStr, types::StructRole};
use std::collections::BTreeMap;
use subsetter::GlyphRemapper;

/// A colour, red, green and blue.
pub type Colour = [u8; 3];

/// How a text looks.
#[derive(Clone, Copy)]
pub struct Style {
    /// Its weight.
    pub weight: Weight,
    /// In points.
    pub size: f32,
    /// From one line to the next, in points.
    pub leading: f32,
    /// Of the letters.
    pub colour: Colour,
}

/// A place for text: the top left corner and how wide it may be, in points from the page's top left.
#[derive(Clone, Copy)]
pub struct Place {
    /// From the left.
    pub x: f32,
    /// From the top.
    pub y: f32,
    /// At most so wide.
    pub width: f32,
}

/// A part of the document's structure: what it is, and the pieces of the page that show it.
pub struct Element {
    /// What it is.
    pub role: StructRole,
    /// What a figure shows.
    pub alt: Option<String>,
    /// The pieces' numbers, in order.
    pub pieces: Vec<i32>,
}

/// The glyphs of one weight that the page uses.
#[derive(Default)]
pub struct Used {
    /// Their numbers in the file's own subset.
    pub remapper: GlyphRemapper,
    /// What each shows, by its number in the subset.
    pub texts: BTreeMap<u16, String>,
}

/// The page under the pen.
pub struct Pen<'t> {
    typefaces: &'t Typefaces,
    height: f32,
    pieces: i32,
    /// The page's drawing.
    pub content: Content,
    /// The structure so far, in reading order.
    pub elements: Vec<Element>,
    /// The glyphs of the regular and the semi-bold weight.
    pub used: [Used; 2],
}

impl<'t> Pen<'t> {
    /// A pen on a page of that height.
    pub fn new(typefaces: &'t Typefaces, height: f32) -> Self {
        Pen { typefaces, height, pieces: 0, content: Content::new(), elements: Vec::new(), used: Default::default() }
    }

    /// Writes `text` and returns where the next thing below may begin. At most `most` lines.
    pub fn text(&mut self, role: StructRole, place: Place, style: Style, text: &str, most: usize) -> f32 {
        let lines = self.typefaces.get(style.weight).lines_at_most(text, place.width / style.size, most);
        self.write(role, place, style, &lines, false)
    }

    /// How many lines `text` would take.
    pub fn lines(&self, style: Style, text: &str, width: f32) -> usize {
        self.typefaces.get(style.weight).lines(text, width / style.size).len()
    }

    /// Writes one line that ends at the right edge of `place`, smaller if it would not fit.
    pub fn right(&mut self, role: StructRole, place: Place, style: Style, text: &str) -> f32 {
        let line = self.typefaces.get(style.weight).line(text);
        let size = if line.width * style.size > place.width { place.width / line.width } else { style.size };
        self.write(role, place, Style { size, ..style }, &[line], true)
    }

    fn write(&mut self, role: StructRole, place: Place, style: Style, lines: &[Line], right: bool) -> f32 {
        let mut element = Element { role, alt: None, pieces: Vec::new() };
        let mut y = place.y;
        for line in lines {
            let x = if right { place.x + place.width - line.width * style.size } else { place.x };
            // Letters stand on the line, which is a part of the leading below the top.
            element.pieces.push(self.line(x, self.height - y - style.leading * 0.76, style, line));
            y += style.leading;
        }
        if !lines.is_empty() {
            self.elements.push(element);
        }
        y
    }

    fn line(&mut self, x: f32, y: f32, style: Style, line: &Line) -> i32 {
        let typeface = self.typefaces.get(style.weight);
        let used = &mut self.used[style.weight as usize];
        let mut ambiguous = line.written.is_some();
        let mut shown: Vec<(Vec<u8>, f32)> = vec![(Vec::new(), 0.0)];
        for glyph in &line.glyphs {
            let cid = used.remapper.remap(glyph.id);
            let text = &line.drawn[glyph.text.clone()];
            ambiguous |= used.texts.entry(cid).or_insert_with(|| text.to_owned()) != text;
            let nominal = typeface.face.glyph_hor_advance(rustybuzz::ttf_parser::GlyphId(glyph.id)).unwrap_or(0);
            let adjust = (typeface.scaled(nominal) - glyph.advance) * 1000.0;
            if let Some((bytes, after)) = shown.last_mut() {
                bytes.extend(cid.to_be_bytes());
                *after = adjust;
            }
            if adjust.abs() > 0.5 {
                shown.push((Vec::new(), 0.0));
            }
        }
        let piece = self.begin(ambiguous.then(|| line.written.as_deref().unwrap_or(&line.drawn)));
        let [red, green, blue] = style.colour.map(|part| f32::from(part) / 255.0);
        self.content.begin_text();
        self.content.set_fill_rgb(red, green, blue);
        self.content.set_font(Name(name(style.weight)), style.size);
        self.content.set_text_matrix([1.0, 0.0, 0.0, 1.0, x, y]);
        let mut positioned = self.content.show_positioned();
        let mut items = positioned.items();
        for (bytes, after) in shown.iter().filter(|(bytes, _)| !bytes.is_empty()) {
            items.show(Str(bytes));
            if after.abs() > 0.5 {
                items.adjust(*after);
            }
        }
        items.finish();
        positioned.finish();
        self.content.end_text();
        self.content.end_marked_content();
        piece
    }

    /// Begins a piece of content; `actual` is what it says where its glyphs alone do not tell.
    fn begin(&mut self, actual: Option<&str>) -> i32 {
        let piece = self.pieces;
        self.pieces += 1;
        let mut content = self.content.begin_marked_content_with_properties(Name(b"Span"));
        let mut properties = content.properties();
        properties.identify(piece);
        if let Some(text) = actual {
            properties.actual_text(TextStr(text));
        }
        piece
    }

    /// A filled rectangle that means nothing by itself.
    pub fn bar(&mut self, x: f32, y: f32, width: f32, height: f32, colour: Colour) {
        self.content.begin_marked_content(Name(b"Artifact"));
        self.rectangles(&[[x, y, width, height]], colour);
        self.content.end_marked_content();
    }

    /// A drawing made of rectangles, described by `alt`.
    pub fn figure(&mut self, rectangles: &[[f32; 4]], colour: Colour, alt: String) {
        let piece = self.begin(None);
        self.rectangles(rectangles, colour);
        self.content.end_marked_content();
        self.elements.push(Element { role: StructRole::Figure, alt: Some(alt), pieces: vec![piece] });
    }

    fn rectangles(&mut self, rectangles: &[[f32; 4]], colour: Colour) {
        let [red, green, blue] = colour.map(|part| f32::from(part) / 255.0);
        self.content.set_fill_rgb(red, green, blue);
        for [x, y, width, height] in rectangles {
            self.content.rect(*x, self.height - y - height, *width, *height);
        }
        self.content.fill_nonzero();
    }
}

/// What a weight is called on the page.
pub fn name(weight: Weight) -> &'static [u8] {
    match weight {
        Weight::Regular => b"R",
        Weight::SemiBold => b"S",
    }
}
