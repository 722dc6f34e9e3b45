//! Who holds a card: an address in some country, perhaps a user of its identity.

use crate::Service;
use crate::multi::actor::Actor;
use crate::multi::countries::is_country;
use crate::multi::error::{Conflict, Result};
use crate::multi::facts::UserFacts;

/// What is told of a card's holder and can be wrong; nothing is, for accounts.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Holder {
    /// The country of the billing address, two capitals.
    pub country: Option<String>,
    /// The users whose proof shall count for purchases.
    pub users: Vec<u64>,
}

impl Service {
    /// What is wrong with a holder.
    pub(super) async fn check_holder(
        &self,
        actor: &Actor,
        holder: &Holder,
    ) -> Result<Option<Conflict>> {
        let country = holder.country.as_deref();
        if country.is_some_and(|country| !is_country(country)) {
            return Ok(Some(Conflict::CountryInvalid));
        }
        for id in &holder.users {
            let user = self.stored::<UserFacts>(actor.tenant, *id).await?;
            match user.filter(|user| user.owner == actor.owner) {
                None => return Ok(Some(Conflict::LinkedUserNotFound)),
                Some(user) if !user.facts.active => return Ok(Some(Conflict::UserInactive)),
                Some(_) => {}
            }
        }
        Ok(None)
    }
}
