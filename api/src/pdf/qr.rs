//! The QR code of the page where a receipt can be checked.

use fast_qr::{ECL, QRBuilder};

/// Blank modules around a code, without which readers do not find it.
const QUIET: usize = 4;

/// The code of `text` as rectangles, `side` points wide with its quiet zone; `None` if the text is too long for a code.
pub fn code(text: &str, x: f32, y: f32, side: f32) -> Option<Vec<[f32; 4]>> {
    let code = QRBuilder::new(text).ecl(ECL::M).build().ok()?;
    let module = side / (code.size + 2 * QUIET) as f32;
    let mut rectangles = Vec::new();
    for row in 0..code.size {
        let mut column = 0;
        while column < code.size {
            // Neighbours are one rectangle: no hairlines between them, and a smaller file.
            let dark = (column..code.size).take_while(|column| code[row][*column].value()).count();
            if dark > 0 {
                let (left, top) = (x + (column + QUIET) as f32 * module, y + (row + QUIET) as f32 * module);
                rectangles.push([left, top, dark as f32 * module, module]);
            }
            column += dark.max(1);
        }
    }
    Some(rectangles)
}
