//! Making and changing profiles, and what makes one impossible.

use ledger::profile::Fee;
use ledger::{Amount, ChangeProfile, NewProfile, ProfileId, ProfileKind, TenantId, Terms};

use super::{Model, Profile, Refusal, is_text, refuse_when};

/// No two lines about the same thing, and at most 200.
fn is_list<T: PartialEq>(lines: &[T]) -> bool {
    let twins = |(index, line): (usize, &T)| lines[..index].contains(line);
    lines.len() <= 200 && !lines.iter().enumerate().any(twins)
}

fn are_limits(limits: &[Amount]) -> bool {
    let currencies: Vec<_> = limits.iter().map(|limit| limit.currency()).collect();
    is_list(&currencies)
}

/// Its fixed part is no gift.
fn is_fee(fee: Fee) -> bool {
    match fee {
        Fee::Percentage(_) => true,
        Fee::Flat(flat) | Fee::Plus(flat, _) | Fee::Min(flat, _) | Fee::Max(flat, _) => flat >= 0,
    }
}

fn are_terms(terms: &Terms) -> bool {
    match terms {
        Terms::Corporate | Terms::Consumer => true,
        Terms::ManagedAccount {
            max_balances,
            deposit_fees,
        } => {
            let currencies: Vec<_> = deposit_fees.iter().map(|line| line.currency).collect();
            are_limits(max_balances)
                && is_list(&currencies)
                && deposit_fees.iter().all(|line| is_fee(line.fee))
        }
        Terms::ManagedCard { max_balances, .. } => are_limits(max_balances),
        Terms::Transfer(terms) => {
            let about: Vec<_> = terms.fees.iter().map(|l| (l.pair, l.currency)).collect();
            is_list(&terms.pairs)
                && is_list(&about)
                && terms.fees.iter().all(|line| is_fee(line.fee))
                && are_limits(&terms.max_amounts)
                && are_limits(&terms.deny_above)
        }
    }
}

fn is_profile(profile: &Profile) -> bool {
    is_text(&profile.name, 1, 100) && is_list(&profile.currencies) && are_terms(&profile.terms)
}

/// What never changes about terms: their kind, and how a card pays.
fn unchanging(terms: &Terms) -> String {
    match terms {
        Terms::ManagedCard { mode, .. } => format!("card {mode:?}"),
        other => format!("{:?}", other.kind()),
    }
}

impl Model {
    /// The profile of this kind, switched off or not.
    pub(super) fn profile(
        &self,
        tenant: TenantId,
        id: ProfileId,
        kind: ProfileKind,
    ) -> Result<&Profile, Refusal> {
        let code = "profile_not_found";
        let profile = self.profiles.get(&id).ok_or(code)?;
        let suits = profile.tenant == tenant && profile.terms.kind() == kind;
        refuse_when(!suits, code)?;
        Ok(profile)
    }

    pub(super) fn create_profile(
        &mut self,
        new: &NewProfile,
        id: impl Fn() -> u64,
    ) -> Result<(), Refusal> {
        self.tenant(new.tenant)?;
        let profile = Profile {
            tenant: new.tenant,
            name: new.name.to_string(),
            active: true,
            currencies: new.currencies.clone(),
            terms: new.terms.clone(),
        };
        refuse_when(!is_profile(&profile), "invalid_parameters")?;
        self.profiles.insert(ProfileId::new(id()), profile);
        Ok(())
    }

    pub(super) fn change_profile(&mut self, change: &ChangeProfile) -> Result<(), Refusal> {
        self.tenant(change.tenant)?;
        let known = self.profiles.get(&change.profile);
        let known = known.filter(|profile| profile.tenant == change.tenant);
        let mut profile = known.ok_or("profile_not_found")?.clone();
        let before = unchanging(&profile.terms);
        if let Some(name) = &change.name {
            profile.name = name.to_string();
        }
        if let Some(active) = change.active {
            profile.active = active;
        }
        if let Some(currencies) = &change.currencies {
            profile.currencies.clone_from(currencies);
        }
        if let Some(terms) = &change.terms {
            profile.terms.clone_from(terms);
        }
        let valid = is_profile(&profile) && unchanging(&profile.terms) == before;
        refuse_when(!valid, "invalid_parameters")?;
        self.profiles.insert(change.profile, profile);
        Ok(())
    }
}
