use super::*;

fn sheet() -> Sheet {
    Sheet {
        merchant: "Alpha Research".into(),
        buyer_lines: vec!["山田太郎 and Πέτρος".into()],
        item: "Pro membership".into(),
        total: "25.00 USDC".into(),
        issued_at: (2026, 11, 24, 3, 41, 7),
        page_url: "https://www.hilt.so/r/0192f0aa-7c3e-7f10-9d1e-2b3c4d5e6f70".into(),
        receipt_id: "0192f0aa-7c3e-7f10-9d1e-2b3c4d5e6f70".into(),
        ..Sheet::default()
    }
}

fn holds(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

#[test]
fn the_same_receipt_is_the_same_file() {
    let bytes = render(&sheet()).unwrap();
    assert!(bytes.starts_with(b"%PDF-1.7") && bytes.len() < 100_000, "{}", bytes.len());
    assert_eq!(bytes, render(&sheet()).unwrap());
    assert_ne!(bytes, render(&Sheet { total: "25.01 USDC".into(), ..sheet() }).unwrap());
}

#[test]
fn the_file_is_one_tagged_page_with_its_fonts() {
    let bytes = render(&sheet()).unwrap();
    for part in ["/Count 1", "/Marked true", "/S /Document", "/S /H1", "/S /Figure", "CIDFontType0C", "HILTSU+Inter-Regular", "/Lang"] {
        assert!(holds(&bytes, part), "{part}");
    }
}

#[test]
fn a_hash_is_drawn_letter_by_letter() {
    let typefaces = Typefaces::load().unwrap();
    let line = typefaces.regular.line("3x4fi->");
    assert_eq!(line.glyphs.len(), 7, "no sign stands for two, and none for another");
    let plain = typefaces.regular.face.glyph_index('x').unwrap().0;
    assert_eq!(line.glyphs[1].id, plain);
}

#[test]
fn long_texts_break_and_end_within_their_lines() {
    let typefaces = Typefaces::load().unwrap();
    for line in typefaces.regular.lines(&format!("short {} 山田", "5zLCm5uWc9".repeat(30)), 10.0) {
        assert!(line.width <= 10.0, "{}", line.drawn);
    }
    let cut = typefaces.regular.lines_at_most("one two three four five six seven", 4.0, 2);
    assert_eq!(cut.len(), 2);
    assert!(cut[1].drawn.ends_with('…') && cut[1].width <= 4.0);
    let lacking = typefaces.regular.line("山");
    assert_eq!((lacking.drawn.as_str(), lacking.written.as_deref()), ("□", Some("山")), "it is copied as what it is");
}

/// INV-89, INV-90: the document states what happened and claims no office.
#[test]
fn the_documents_own_words_claim_nothing() {
    let own = [include_str!("sheet.rs"), include_str!("../services/receipt_sheet.rs")].concat().to_lowercase();
    for claim in
        ["custod", "merchant of record", "bank", "exchange", "broker", "tax advi", "guarantee", "usdt", "x402", "evm", "base network"]
    {
        assert!(!own.contains(claim), "{claim}");
    }
}
