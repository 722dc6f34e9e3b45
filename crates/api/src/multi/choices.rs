//! Closed sets of values: each stands once, for reading, writing and the document.

/// Declares an enum with its values on the wire, and the table to read them by.
macro_rules! choices {
    ($(#[$doc:meta])* $name:ident, $table:ident {
        $($(#[$variant_doc:meta])* $variant:ident = $text:tt,)+
    }) => {
        #[derive(
            Clone, Copy, PartialEq, Eq, Debug,
            serde::Serialize, serde::Deserialize, utoipa::ToSchema,
        )]
        $(#[$doc])*
        #[allow(clippy::enum_variant_names, reason = "the words are the dialect's")]
        pub enum $name {
            $($(#[$variant_doc])* #[serde(rename = $text)] $variant,)+
        }

        #[allow(dead_code, reason = "not every set is written outside of JSON")]
        impl $name {
            /// The value on the wire.
            #[must_use]
            #[allow(dead_code, reason = "some sets are only read")]
            pub fn name(self) -> &'static str {
                match self {
                    $($name::$variant => $text,)+
                }
            }
        }

        /// The values on the wire.
        #[allow(dead_code, reason = "some sets are only written")]
        pub(in crate::multi) const $table: &$crate::multi::fields::Choices<$name> =
            &[$(($text, $name::$variant)),+];
    };
}
pub(super) use choices;
