//! Whether a text is canonical JSON (RFC 8785), seen from the text alone: no value is built, nothing is allocated.
//!
//! Numbers other than whole ones within 53 bits, and keys that are not plain ASCII, are rare enough to be left to the library.

use std::cmp::Ordering;

/// How deep values may lie in one another.
const DEPTH: usize = 64;
/// The largest whole number that every JSON reader has exactly: 2^53 - 1.
const LARGEST: u64 = (1 << 53) - 1;

/// What is seen of a text.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Seen {
    Canonical,
    /// It is another form of its value, or no JSON at all.
    Not,
    /// It holds something that this file does not judge.
    Unknown,
}

/// Judges `text`.
pub(crate) fn look(text: &str) -> Seen {
    let mut scan = Scan { rest: text.as_bytes() };
    match scan.value(DEPTH) {
        Ok(()) if scan.rest.is_empty() => Seen::Canonical,
        Ok(()) => Seen::Not,
        Err(seen) => seen,
    }
}

struct Scan<'a> {
    rest: &'a [u8],
}

impl<'a> Scan<'a> {
    fn peek(&self) -> Option<u8> {
        self.rest.first().copied()
    }

    fn take(&mut self, wanted: u8) -> Result<(), Seen> {
        match self.rest.split_first() {
            Some((found, rest)) if *found == wanted => {
                self.rest = rest;
                Ok(())
            }
            _ => Err(Seen::Not),
        }
    }

    fn word(&mut self, word: &[u8]) -> Result<(), Seen> {
        self.rest = self.rest.strip_prefix(word).ok_or(Seen::Not)?;
        Ok(())
    }

    fn value(&mut self, depth: usize) -> Result<(), Seen> {
        let depth = depth.checked_sub(1).ok_or(Seen::Unknown)?;
        match self.peek() {
            Some(b'{') => self.object(depth),
            Some(b'[') => self.array(depth),
            Some(b'"') => self.string().map(|_| ()),
            Some(b't') => self.word(b"true"),
            Some(b'f') => self.word(b"false"),
            Some(b'n') => self.word(b"null"),
            Some(b'-' | b'0'..=b'9') => self.number(),
            _ => Err(Seen::Not),
        }
    }

    /// Keys in order, each once.
    fn object(&mut self, depth: usize) -> Result<(), Seen> {
        self.take(b'{')?;
        if self.peek() == Some(b'}') {
            return self.take(b'}');
        }
        let mut last: Option<&[u8]> = None;
        loop {
            let key = self.string()?;
            // The order is that of UTF-16; for plain ASCII it is that of the bytes.
            if !key.is_ascii() || key.contains(&b'\\') {
                return Err(Seen::Unknown);
            }
            if last.is_some_and(|last| last.cmp(key) != Ordering::Less) {
                return Err(Seen::Not);
            }
            last = Some(key);
            self.take(b':')?;
            self.value(depth)?;
            if self.peek() == Some(b'}') {
                return self.take(b'}');
            }
            self.take(b',')?;
        }
    }

    fn array(&mut self, depth: usize) -> Result<(), Seen> {
        self.take(b'[')?;
        if self.peek() == Some(b']') {
            return self.take(b']');
        }
        loop {
            self.value(depth)?;
            if self.peek() == Some(b']') {
                return self.take(b']');
            }
            self.take(b',')?;
        }
    }

    /// What stands between the quotes. Only what must be escaped is, and each in its one way.
    fn string(&mut self) -> Result<&'a [u8], Seen> {
        self.take(b'"')?;
        let text = self.rest;
        let mut at = 0;
        loop {
            match text.get(at..).unwrap_or_default() {
                [b'"', rest @ ..] => {
                    self.rest = rest;
                    return text.get(..at).ok_or(Seen::Not);
                }
                [b'\\', b'"' | b'\\' | b'b' | b'f' | b'n' | b'r' | b't', ..] => at += 2,
                [b'\\', b'u', b'0', b'0', high @ (b'0' | b'1'), low @ (b'0'..=b'9' | b'a'..=b'f'), ..] => {
                    // These have a shorter escape.
                    if *high == b'0' && matches!(low, b'8' | b'9' | b'a' | b'c' | b'd') {
                        return Err(Seen::Not);
                    }
                    at += 6;
                }
                [b'\\' | 0..=0x1f, ..] | [] => return Err(Seen::Not),
                _ => at += 1,
            }
        }
    }

    fn number(&mut self) -> Result<(), Seen> {
        let negative = self.peek() == Some(b'-');
        if negative {
            self.take(b'-')?;
        }
        let digits = self.rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let (number, rest) = self.rest.split_at(digits);
        if matches!(rest.first(), Some(b'.' | b'e' | b'E')) {
            return Err(Seen::Unknown);
        }
        let whole: Option<u64> = std::str::from_utf8(number).ok().and_then(|digits| digits.parse().ok());
        match (number, whole) {
            ([b'0'], _) if !negative => {}
            ([], _) | ([b'0', ..], _) => return Err(Seen::Not),
            (_, Some(whole)) if whole <= LARGEST => {}
            _ => return Err(Seen::Unknown),
        }
        self.rest = rest;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    /// What the library says.
    fn canonical(text: &str) -> bool {
        let value: Option<Value> = serde_json::from_str(text).ok();
        value.and_then(|value| serde_json_canonicalizer::to_vec(&value).ok()).as_deref() == Some(text.as_bytes())
    }

    fn agree(text: &str) {
        match look(text) {
            Seen::Canonical => assert!(canonical(text), "{text} is not canonical"),
            Seen::Not => assert!(!canonical(text), "{text} is canonical"),
            Seen::Unknown => {}
        }
    }

    #[test]
    fn it_says_what_the_library_says_of_every_changed_byte() {
        let value = json!({
            "": [], "a": {}, "amount": 25_000_000, "b": [true, false, null, 0, -7, 9_007_199_254_740_991_u64],
            "nested": {"quote": "\"\\/", "tab\there": "\u{8}\t\n\u{c}\r\u{1}\u{1f}\u{7f}é€😀"}, "z": "plain"
        });
        let text = String::from_utf8(serde_json_canonicalizer::to_vec(&value).unwrap()).unwrap();
        agree(&text);
        let receipt = r#"{"a":1,"b":{"c":"x","d":[1,2,{"e":null}]},"f":"\u001f\n"}"#;
        assert_eq!(look(receipt), Seen::Canonical);
        for text in [text.as_str(), receipt] {
            for at in 0..text.len() {
                for byte in [b' ', b'"', b'\\', b'0', b'1', b'-', b',', b':', b'{', b'}', b'[', b']', b'a', b'e', b'.', b'u', b'\n'] {
                    let mut changed = text.as_bytes().to_vec();
                    changed[at] = byte;
                    String::from_utf8(changed).iter().for_each(|changed| agree(changed));
                    let mut longer = text.as_bytes().to_vec();
                    longer.insert(at, byte);
                    String::from_utf8(longer).iter().for_each(|changed| agree(changed));
                }
                let mut shorter = text.as_bytes().to_vec();
                shorter.remove(at);
                String::from_utf8(shorter).iter().for_each(|changed| agree(changed));
            }
        }
    }

    #[test]
    fn what_it_does_not_judge_is_left_to_the_library() {
        assert_eq!(look("1.5"), Seen::Unknown);
        assert_eq!(look(r#"{"é":1}"#), Seen::Unknown);
        assert_eq!(look("9007199254740993"), Seen::Unknown);
        assert_eq!(look(r#"{"b":1,"a":2}"#), Seen::Not);
        assert_eq!(look(r#"{"a":1,"a":1}"#), Seen::Not);
        assert_eq!(look("-0"), Seen::Not);
        assert_eq!(look(r#""\u000a""#), Seen::Not);
        assert_eq!(look(&"[".repeat(100)), Seen::Unknown);
    }
}
