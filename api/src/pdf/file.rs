//! The file around the page: fonts as subsets, the structure, and what it says of itself.

use super::{
    NotMade, Sheet,
    page::{Element, Pen, Used, name},
    sheet,
    typeface::{Typeface, Typefaces, Weight},
};
use pdf_writer::{
    Date, Finish as _, Name, Pdf, Rect, Ref, Str, TextStr,
    types::{CidFontType, FontFlags, StructRole, SystemInfo, UnicodeCmap},
};
use rustybuzz::ttf_parser::{RawFace, Tag};

const IDENTITY: SystemInfo<'_> = SystemInfo { registry: Str(b"Adobe"), ordering: Str(b"Identity"), supplement: 0 };
const CATALOG: Ref = Ref::new(1);
const PAGES: Ref = Ref::new(2);
const PAGE: Ref = Ref::new(3);
const CONTENT: Ref = Ref::new(4);
const INFO: Ref = Ref::new(5);
const STRUCTURE: Ref = Ref::new(6);
const DOCUMENT: Ref = Ref::new(7);
const FONTS: [i32; 2] = [8, 13];
const PARENTS: Ref = Ref::new(18);
const ELEMENTS: i32 = 19;

/// The file's bytes.
pub fn bytes(sheet: &Sheet, typefaces: &Typefaces, pen: Pen<'_>) -> Result<Vec<u8>, NotMade> {
    let Pen { content, elements, used, .. } = pen;
    let mut pdf = Pdf::new();
    pdf.set_version(1, 7);
    let mut catalog = pdf.catalog(CATALOG);
    catalog.pages(PAGES).lang(TextStr("en"));
    catalog.viewer_preferences().display_doc_title(true);
    catalog.mark_info().marked(true);
    catalog.pair(Name(b"StructTreeRoot"), STRUCTURE);
    catalog.finish();
    pdf.pages(PAGES).kids([PAGE]).count(1);
    let mut page = pdf.page(PAGE);
    page.parent(PAGES).media_box(Rect::new(0.0, 0.0, sheet::WIDTH, sheet::HEIGHT)).contents(CONTENT).struct_parents(0);
    let mut resources = page.resources();
    let mut fonts = resources.fonts();
    for (index, weight) in [Weight::Regular, Weight::SemiBold].into_iter().enumerate() {
        fonts.pair(Name(name(weight)), Ref::new(FONTS[index]));
    }
    fonts.finish();
    resources.finish();
    page.finish();
    pdf.stream(CONTENT, &content.finish());
    structure(&mut pdf, &elements);
    for (index, used) in used.iter().enumerate() {
        let (weight, label) = if index == 0 { (Weight::Regular, "Inter-Regular") } else { (Weight::SemiBold, "Inter-SemiBold") };
        font(&mut pdf, Ref::new(FONTS[index]), label, typefaces.get(weight), used)?;
    }
    about(&mut pdf, sheet);
    Ok(pdf.finish())
}

fn about(pdf: &mut Pdf, sheet: &Sheet) {
    let (year, month, day, hour, minute, second) = sheet.issued_at;
    let issued = Date::new(year).month(month).day(day).hour(hour).minute(minute).second(second).utc_offset_hour(0).utc_offset_minute(0);
    let mut info = pdf.document_info(INFO);
    info.title(TextStr(&format!("Receipt {}", sheet.receipt_id)));
    info.author(TextStr(&sheet.merchant));
    info.subject(TextStr(&format!("{} paid to {}", sheet.total, sheet.merchant)));
    info.creator(TextStr("Hilt Ledger")).producer(TextStr("Hilt Ledger")).creation_date(issued);
    info.finish();
    let id = sheet.receipt_id.as_bytes().to_vec();
    pdf.set_file_id((id.clone(), id));
}

/// One element below the document for each part of the page, and for each piece of the page its element.
fn structure(pdf: &mut Pdf, elements: &[Element]) {
    let ids: Vec<Ref> = (0..elements.len()).map(|index| Ref::new(ELEMENTS + index as i32)).collect();
    let mut root = pdf.indirect(STRUCTURE).start::<pdf_writer::writers::StructTreeRoot<'_>>();
    root.child(DOCUMENT);
    let of_pieces = elements.iter().zip(&ids).flat_map(|(element, id)| element.pieces.iter().map(move |_| *id));
    let mut parents = root.parent_tree();
    parents.nums().insert(0, PARENTS);
    parents.finish();
    root.parent_tree_next_key(1);
    root.finish();
    pdf.indirect(PARENTS).array().items(of_pieces);
    let mut document = pdf.struct_element(DOCUMENT);
    document.kind(StructRole::Document).parent(STRUCTURE);
    let mut children = document.children();
    for id in &ids {
        children.struct_element(*id);
    }
    children.finish();
    document.finish();
    for (element, id) in elements.iter().zip(&ids) {
        let mut written = pdf.struct_element(*id);
        written.kind(element.role).parent(DOCUMENT).page(PAGE);
        if let Some(alt) = &element.alt {
            written.alt(TextStr(alt));
        }
        let mut children = written.children();
        for piece in &element.pieces {
            children.marked_content_id(*piece);
        }
        children.finish();
        written.finish();
    }
}

/// A weight as a subset of its glyphs.
fn font(pdf: &mut Pdf, id: Ref, label: &str, typeface: &Typeface, used: &Used) -> Result<(), NotMade> {
    let [cid, descriptor, cmap, data] = [1, 2, 3, 4].map(|offset| Ref::new(id.get() + offset));
    let subset = subsetter::subset(typeface.bytes, 0, &used.remapper).map_err(|error| NotMade(error.to_string()))?;
    let outlines = RawFace::parse(&subset, 0).ok().and_then(|face| face.table(Tag::from_bytes(b"CFF ")));
    let outlines = outlines.ok_or_else(|| NotMade("the typeface has no outlines".into()))?;
    // Six letters say that it is a subset.
    let base = format!("HILTSU+{label}");
    pdf.type0_font(id)
        .base_font(Name(format!("{base}-Identity-H").as_bytes()))
        .encoding_predefined(Name(b"Identity-H"))
        .descendant_font(cid)
        .to_unicode(cmap);
    let mut font = pdf.cid_font(cid);
    font.subtype(CidFontType::Type0).base_font(Name(base.as_bytes())).system_info(IDENTITY).font_descriptor(descriptor).default_width(0.0);
    let advance = |glyph| typeface.face.glyph_hor_advance(rustybuzz::ttf_parser::GlyphId(glyph)).unwrap_or(0);
    font.widths().consecutive(0, used.remapper.remapped_gids().map(|glyph| typeface.scaled(advance(glyph)) * 1000.0));
    font.finish();
    let thousandths = |units: i16| typeface.scaled(units) * 1000.0;
    let bounds = typeface.face.global_bounding_box();
    pdf.font_descriptor(descriptor)
        .name(Name(base.as_bytes()))
        .flags(FontFlags::NON_SYMBOLIC)
        .bbox(Rect::new(thousandths(bounds.x_min), thousandths(bounds.y_min), thousandths(bounds.x_max), thousandths(bounds.y_max)))
        .italic_angle(0.0)
        .ascent(thousandths(typeface.face.ascender()))
        .descent(thousandths(typeface.face.descender()))
        .cap_height(thousandths(typeface.face.capital_height().unwrap_or(0)))
        .stem_v(80.0)
        .font_file3(data);
    let mut unicode = UnicodeCmap::<u16>::new(Name(b"Custom"), IDENTITY);
    for (glyph, text) in &used.texts {
        unicode.pair_with_multiple(*glyph, text.chars());
    }
    pdf.cmap(cmap, &unicode.finish());
    pdf.stream(data, outlines).pair(Name(b"Subtype"), Name(b"CIDFontType0C"));
    Ok(())
}
