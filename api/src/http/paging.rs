//! Lists: limits with a rule, and an opaque cursor that stays stable while rows are added (CV-8, decisions.md "Lists").

use super::problem::{Code, Problem};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use events::vocab::time::Timestamp;
use projections::Window;
use uuid::Uuid;

/// Rows of a page when the caller does not say.
pub const DEFAULT: u32 = 20;
/// Rows of a page at most.
pub const MAX: u32 = 100;

/// A page that was asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Asked {
    /// Rows of the page.
    pub limit: u32,
    window: Window,
}

/// A page's place in its list.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct More {
    /// Whether older rows follow.
    pub has_more: bool,
    /// Where they begin.
    pub next_cursor: Option<String>,
}

impl Asked {
    /// `limit` rows after `offset`, or after `cursor`, which wins.
    pub fn by_offset(limit: Option<u32>, offset: Option<u64>, cursor: Option<&str>) -> Result<Self, Problem> {
        Asked::new(in_range("limit", limit)?, offset.unwrap_or(0), cursor)
    }
    /// Page `page`, from 1, of `per_page` rows, or the rows after `cursor`, which wins.
    pub fn by_page(page: Option<u32>, per_page: Option<u32>, cursor: Option<&str>) -> Result<Self, Problem> {
        let (page, limit) = (page.unwrap_or(1), in_range("per_page", per_page)?);
        let before = page.checked_sub(1).ok_or_else(|| Problem::field(Code::ValidationFailed, "page", "pages are counted from 1"))?;
        Asked::new(limit, u64::from(before) * u64::from(limit), cursor)
    }
    fn new(limit: u32, offset: u64, cursor: Option<&str>) -> Result<Self, Problem> {
        let after = cursor.map(decode).transpose()?;
        // One row more than the page tells whether another page follows.
        let window = Window { limit: limit + 1, offset: if after.is_some() { 0 } else { offset }, after };
        Ok(Asked { limit, window })
    }
    /// What to ask the read model for.
    pub fn window(&self) -> Window {
        self.window
    }
    /// Cuts `rows` to the page; `place` is a row's time of creation and id.
    pub fn cut<R>(&self, rows: &mut Vec<R>, place: impl FnOnce(&R) -> (Timestamp, Uuid)) -> More {
        let limit = usize::try_from(self.limit).unwrap_or(usize::MAX);
        let has_more = rows.len() > limit;
        rows.truncate(limit);
        More { has_more, next_cursor: rows.last().filter(|_| has_more).map(|row| encode(place(row))) }
    }
}

/// `value` within the rule for page sizes.
pub fn in_range(field: &'static str, value: Option<u32>) -> Result<u32, Problem> {
    let value = value.unwrap_or(DEFAULT);
    match (1..=MAX).contains(&value) {
        true => Ok(value),
        false => Err(Problem::field(Code::ValidationFailed, field, format!("a number from 1 to {MAX}"))),
    }
}

fn encode((at, id): (Timestamp, Uuid)) -> String {
    URL_SAFE_NO_PAD.encode([at.micros().to_be_bytes().as_slice(), id.as_bytes()].concat())
}

fn decode(cursor: &str) -> Result<(Timestamp, Uuid), Problem> {
    let bytes = URL_SAFE_NO_PAD.decode(cursor).ok().and_then(|bytes| <[u8; 24]>::try_from(bytes).ok());
    let parts = bytes.as_ref().and_then(|bytes| bytes.split_first_chunk::<8>());
    let place = parts.and_then(|(at, id)| Some((Timestamp::from_micros(i64::from_be_bytes(*at)), Uuid::from_slice(id).ok()?)));
    place.ok_or_else(|| Problem::field(Code::ValidationFailed, "cursor", "a cursor is the next_cursor of an earlier page, as it was given"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_leads_back_to_its_row() {
        let place = (Timestamp::from_micros(1_700_000_000_000_001), Uuid::from_u128(7));
        assert_eq!(decode(&encode(place)).unwrap(), place);
        for bad in ["", "x", "AAAA", "not a cursor"] {
            assert_eq!(decode(bad).unwrap_err().errors[0].field, "cursor");
        }
    }

    #[test]
    fn limits_outside_the_rule_are_refused() {
        assert_eq!(Asked::by_offset(None, None, None).unwrap().limit, DEFAULT);
        for limit in [0, MAX + 1] {
            assert_eq!(Asked::by_offset(Some(limit), None, None).unwrap_err().errors[0].field, "limit");
            assert_eq!(Asked::by_page(None, Some(limit), None).unwrap_err().errors[0].field, "per_page");
        }
        assert_eq!(Asked::by_page(Some(0), None, None).unwrap_err().errors[0].field, "page");
        assert_eq!(Asked::by_page(Some(3), Some(10), None).unwrap().window().offset, 20);
    }

    #[test]
    fn a_page_says_whether_another_follows() {
        let asked = Asked::by_offset(Some(2), None, None).unwrap();
        let place = |row: &i64| (Timestamp::from_micros(*row), Uuid::nil());
        let mut rows = vec![9, 8, 7];
        let more = asked.cut(&mut rows, place);
        assert_eq!((rows, more.has_more), (vec![9, 8], true));
        assert_eq!(decode(&more.next_cursor.unwrap()).unwrap().0.micros(), 8);
        assert_eq!(asked.cut(&mut vec![9, 8], place), More { has_more: false, next_cursor: None });
    }
}
