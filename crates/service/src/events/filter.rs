//! Which events somebody wants.

use ledger::{AccountId, OwnerId};

use super::{Event, names};

/// Entries of each list of a filter.
pub const FILTERS_MAX: usize = 100;

/// Which events: those that every list that is not empty has an entry for.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct EventFilter {
    /// Names, or all that begin alike: `transfer.*`.
    pub names: Vec<String>,
    /// Accounts that they are about.
    pub accounts: Vec<AccountId>,
    /// Owners that they are about.
    pub owners: Vec<OwnerId>,
}

impl EventFilter {
    /// Whether a text is the name of an event, or stands for several.
    #[must_use]
    pub fn is_known(pattern: &str) -> bool {
        names::NAMES.iter().any(|name| matches(pattern, name))
    }

    /// Whether an event with this name may be wanted; what is about an account may be about a card.
    pub(super) fn may_want(&self, name: &'static str) -> bool {
        self.has_name(name) || self.has_name(names::with_object(name, true))
    }

    fn has_name(&self, name: &str) -> bool {
        self.names.is_empty() || self.names.iter().any(|pattern| matches(pattern, name))
    }

    /// Whether an event is wanted.
    #[must_use]
    pub fn wants(&self, event: &Event) -> bool {
        let about = |accounts: &[AccountId]| {
            let of_event = event.accounts();
            accounts.iter().any(|account| of_event.contains(account))
        };
        self.has_name(event.name)
            && (self.accounts.is_empty() || about(&self.accounts))
            && (self.owners.is_empty()
                || event
                    .owner()
                    .is_some_and(|owner| self.owners.contains(&owner)))
    }
}

fn matches(pattern: &str, name: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some("") => true,
        Some(family) => family.ends_with('.') && name.starts_with(family),
        None => pattern == name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_stand_for_families() {
        assert!(matches("*", "transfer.created"));
        assert!(matches("transfer.*", "transfer.created"));
        assert!(matches("transfer.created", "transfer.created"));
        assert!(!matches("transfer.created", "transfer.status_changed"));
        assert!(!matches("trans*", "transfer.created"));
        assert!(!matches("transfer", "transfer.created"));
        for known in ["*", "login.*", "card.blocked", "key.revoked"] {
            assert!(EventFilter::is_known(known), "{known}");
        }
        for unknown in ["", "nothing.*", "transfer.", "transfer.creatd", "t*"] {
            assert!(!EventFilter::is_known(unknown), "{unknown}");
        }
    }

    #[test]
    fn who_wants_cards_is_told_of_accounts_that_may_be_cards() {
        let filter = EventFilter {
            names: vec!["card.blocked".to_owned()],
            ..EventFilter::default()
        };
        assert!(filter.may_want("account.blocked"));
        assert!(!filter.may_want("account.closed"));
    }
}
