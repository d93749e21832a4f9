//! Small checks that several deciders share.

use events::vocab::{money::Minor, personal::Personal};

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
