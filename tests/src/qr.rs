//! Reads the QR codes that the service draws, with a reader that is not ours.

/// Pixels of one module; a reader needs some.
const SCALE: usize = 4;

/// The text of a code that is drawn as one path of unit squares, as the service draws it.
///
/// # Panics
/// If it is no such drawing, or nothing can be read.
pub fn read(svg: &str) -> String {
    let side: usize =
        svg.split_once("viewBox=\"0 0 ").and_then(|(_, rest)| rest.split(' ').next()).expect("a square").parse().expect("a number");
    let path = svg.rsplit_once("<path d=\"").and_then(|(_, rest)| rest.split('"').next()).expect("a path");
    let mut dark = vec![false; side * side];
    for run in path.split('M').filter(|run| !run.is_empty()) {
        let (at, rest) = run.split_once('h').expect("a run goes to the right");
        let (x, y) = at.split_once(' ').expect("a run begins somewhere");
        let length: usize = rest.split('v').next().expect("a run ends").parse().expect("a number");
        let begin = y.parse::<usize>().expect("a number") * side + x.parse::<usize>().expect("a number");
        dark[begin..begin + length].fill(true);
    }
    let width = side * SCALE;
    let shade = |x: usize, y: usize| if dark[(y / SCALE) * side + x / SCALE] { 0 } else { 255 };
    let mut image = rqrr::PreparedImage::prepare_from_greyscale(width, width, shade);
    let grids = image.detect_grids();
    assert_eq!(grids.len(), 1, "one code is drawn");
    grids[0].decode().expect("the code can be read").1
}
