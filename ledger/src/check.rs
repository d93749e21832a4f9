//! Small checks that several deciders share.

use events::vocab::{money::Minor, personal::Personal};
use url::Url;

/// Declares why commands are refused: each variant with its stable code and its text. The variants are listed in the order in
/// which the rules are checked.
macro_rules! rejections {
    ($( #[$doc:meta] )* pub enum Rejection { $(
        $(#[$vdoc:meta])*
        $variant:ident $( { $( $(#[$fdoc:meta])* $field:ident : $type:ty ),* $(,)? } )? = $code:literal, $text:literal;
    )* }) => {
        $( #[$doc] )*
        #[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
        pub enum Rejection { $(
            $(#[$vdoc])*
            #[error($text)]
            $variant $( { $( $(#[$fdoc])* $field : $type ),* } )?
        ),* }

        impl Rejection {
            /// Every code, in order of precedence.
            pub const CODES: &'static [&'static str] = &[$( $code ),*];
            /// The contract's stable code.
            pub const fn code(&self) -> &'static str { match self { $( Rejection::$variant { .. } => $code ),* } }
        }
    };
}
pub(crate) use rejections;

/// `units` as a price: from 1 to 2⁵³ − 1.
pub(crate) fn price(units: u64) -> Option<Minor> {
    Minor::new(units).ok().filter(|amount| *amount != Minor::ZERO)
}

/// The text without blanks around it, if anything is left.
pub(crate) fn filled(text: &str) -> Option<String> {
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

/// Whether a text is a stable code, which cannot say anything about a person.
pub(crate) fn is_code(text: &str) -> bool {
    text.len() <= 64 && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
}

/// One line of text without blanks around it, of at most `longest` characters; `None` when nothing is left.
pub(crate) fn line(text: Option<&str>, longest: usize) -> Result<Option<String>, &'static str> {
    match text.and_then(filled) {
        Some(text) if text.chars().any(char::is_control) => Err("is one line of text"),
        Some(text) if text.chars().count() > longest => Err("is too long"),
        text => Ok(text),
    }
}

/// What an id of the merchant's own is; it becomes part of a claim, which has its length.
pub(crate) const OWN_ID: &str = "is one line of at most 255 bytes";

/// An id of the merchant's own without blanks around it; `None` when nothing is left.
pub(crate) fn own_id(text: &str) -> Result<Option<String>, &'static str> {
    line(Some(text), 255).ok().filter(|id| id.as_ref().is_none_or(|id| id.len() <= 255)).ok_or(OWN_ID)
}

/// A web address for a browser to open, of at most 2,048 bytes; `None` when nothing is left.
pub(crate) fn web_url(text: Option<&str>) -> Result<Option<String>, &'static str> {
    let Some(text) = text.and_then(filled) else { return Ok(None) };
    let url = Url::parse(&text).map_err(|_| "is not a URL")?;
    match url.scheme() {
        _ if text.contains(|c: char| c.is_whitespace() || c.is_control()) => Err("is not a URL"),
        "http" | "https" if text.len() > 2048 => Err("is longer than 2048 bytes"),
        "http" | "https" if url.host_str().is_none_or(str::is_empty) => Err("has no host"),
        "http" | "https" if !url.username().is_empty() || url.password().is_some() => Err("has a user name or a password in it"),
        "http" | "https" => Ok(Some(text)),
        _ => Err("is an http:// or https:// URL"),
    }
}

/// A colour as pages write it.
pub(crate) fn accent_hex(text: Option<&str>) -> Result<Option<String>, &'static str> {
    let Some(text) = text.and_then(filled) else { return Ok(None) };
    let digits = text.strip_prefix('#').filter(|digits| digits.len() == 6 && digits.bytes().all(|digit| digit.is_ascii_hexdigit()));
    match digits {
        Some(_) => Ok(Some(text.to_ascii_lowercase())),
        None => Err("is a colour as #rrggbb"),
    }
}

/// The name of the first element that does not hold.
pub(crate) fn first_false(elements: impl IntoIterator<Item = (&'static str, bool)>) -> Option<&'static str> {
    elements.into_iter().find(|(_, holds)| !holds).map(|(name, _)| name)
}

/// The longest stretch of access there can be, in days: a hundred years.
pub(crate) const LONGEST_DAYS: u32 = 36_500;

/// Whether a customer can be told apart by at least one identity (INV-20).
pub(crate) fn identified(wallet: Option<&str>, personal: &Personal) -> bool {
    [wallet, personal.external_customer_id.as_deref(), personal.email.as_deref()]
        .into_iter()
        .flatten()
        .any(|identity| !identity.trim().is_empty())
}
