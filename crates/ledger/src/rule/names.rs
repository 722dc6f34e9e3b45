//! Closed lists whose members have a name that documents and messages use.

/// Declares an enumeration with the name of each member, and the way back from a name.
macro_rules! named {
    ($(
        $(#[$meta:meta])*
        pub enum $Name:ident { $( $(#[$doc:meta])* $Member:ident = $text:literal ),+ $(,)? }
    )+) => { $(
        $(#[$meta])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub enum $Name { $( $(#[$doc])* $Member ),+ }

        impl $Name {
            /// Every member, in the order of the list.
            pub const ALL: &'static [$Name] = &[$($Name::$Member),+];

            /// Its name.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $($Name::$Member => $text),+ }
            }

            /// The member with this name.
            #[must_use]
            pub fn parse(name: &str) -> Option<$Name> {
                $Name::ALL.iter().copied().find(|member| member.name() == name)
            }
        }

        impl std::fmt::Display for $Name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.name())
            }
        }
    )+ };
}

pub(crate) use named;
