//! Closed sets of words that rows use and events do not.

macro_rules! words {
    ($(#[$doc:meta])* pub enum $name:ident { $( $(#[$vdoc:meta])* $variant:ident = $text:literal ),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
        pub enum $name { $( $(#[$vdoc])* #[serde(rename = $text)] $variant ),* }
        impl $name {
            /// Every value.
            pub const ALL: &'static [$name] = &[$( $name::$variant ),*];
            /// The contract's word.
            pub const fn as_str(self) -> &'static str { match self { $( $name::$variant => $text ),* } }
            /// The value of that word.
            pub fn parse(text: &str) -> Option<Self> { match text { $( $text => Some($name::$variant), )* _ => None } }
        }
    };
}
pub(crate) use words;
