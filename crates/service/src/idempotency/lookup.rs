//! What became of an idempotency key.
//!
//! A key is bound to who used it and for what, so it is looked for under every operation of those who
//! are asked about. The look goes through the store's queue: what was asked for before it has been
//! decided when it answers. With several servers, what another one has under way is not seen yet.

use std::sync::Arc;

use futures_util::future::join_all;
use ledger::{KeyId, Millis, OwnerId, TenantId, TransferId};
use store::{
    Claim, Fingerprint, RecordKind, RecordQuery, Remembered, RememberedReply, TransferRow,
};

use super::{IdempotencyKey, KeyOperation};
use crate::Service;
use crate::error::{Error, Result};
use crate::multi::{Reference, ReferenceUse};
use crate::transfers::missing;

/// Identities that are asked about at once when nobody says which.
const IDENTITIES_MAX: usize = 1_000;

/// Who used a key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum KeyCaller {
    /// An API key.
    Key(KeyId),
    /// The users of an identity of Multi.
    Identity(OwnerId),
    /// A programme of Multi itself.
    Programme,
}

/// One use of a key.
#[derive(Clone, Debug)]
pub struct KeyUse {
    /// Who used it.
    pub caller: KeyCaller,
    /// What for, such as `create_transfer`.
    pub operation: String,
    /// What became of it.
    pub became: Became,
}

/// What became of a use of a key.
#[derive(Clone, Debug)]
pub enum Became {
    /// It was done.
    Applied {
        /// When, by the machine's clock.
        at: Millis,
        /// The request id of the original answer.
        request_id: Arc<str>,
        /// What was made or changed.
        made: Made,
    },
    /// It was refused.
    Refused {
        /// When, by the machine's clock.
        at: Millis,
        /// The request id of the original answer; of a key that is free again it is not kept.
        request_id: Option<Arc<str>>,
        /// The refusal's code.
        code: Arc<str>,
        /// The refusal in words; empty when the code is all there is.
        message: Arc<str>,
        /// Whether the key may be used again, for anything.
        is_free: bool,
    },
    /// It is being done.
    InFlight,
}

/// What was made or changed with a key.
#[derive(Clone, Debug)]
pub enum Made {
    /// A transfer, as it is now.
    Transfer(Box<TransferRow>),
    /// An account, instrument or card.
    Account(ledger::AccountId),
    /// A bulk.
    Bulk(ledger::BulkId),
    /// A rule.
    Rule(ledger::RuleId),
    /// A run of a rule.
    Execution(ledger::ExecutionId),
    /// A record, such as a user.
    Record(RecordKind, u64),
    /// Something that leaves nothing to name.
    Nothing,
}

/// Where a key may have been used.
struct Place {
    caller: KeyCaller,
    operation: String,
    key: Fingerprint,
}

impl Service {
    /// Every use of a key by the callers named; never seen when there is none.
    ///
    /// # Errors
    /// [`Error::Invalid`] when it is no key; the store's.
    pub async fn look_up_key(
        &self,
        tenant: TenantId,
        text: &str,
        callers: &[KeyCaller],
    ) -> Result<Vec<KeyUse>> {
        let mut places = Vec::new();
        for caller in callers {
            self.places(tenant, text, *caller, &mut places).await?;
        }
        let looks = places.into_iter().map(|place| self.look(tenant, place));
        let mut uses = Vec::new();
        for found in join_all(looks).await {
            uses.extend(found?);
        }
        Ok(uses)
    }

    /// The same for everybody of a tenant.
    ///
    /// # Errors
    /// The same; [`Error::NotFound`] without such a tenant; [`Error::Invalid`] when there are more
    /// than a thousand identities: one of them must be named.
    pub async fn look_up_key_of_all(&self, tenant: TenantId, text: &str) -> Result<Vec<KeyUse>> {
        self.tenant(tenant).await?;
        let keys = self.store.keys(Some(tenant)).await?;
        let mut callers: Vec<KeyCaller> = keys.iter().map(|key| KeyCaller::Key(key.id)).collect();
        callers.push(KeyCaller::Programme);
        let query = RecordQuery {
            limit: IDENTITIES_MAX.saturating_add(1),
            ..RecordQuery::new(RecordKind::Identity, tenant)
        };
        let identities = self.store.records(query).await?;
        if identities.len() > IDENTITIES_MAX {
            return Err(Error::Invalid {
                field: "owner_id",
                reason: "must be given: the tenant has more than 1000 identities",
            });
        }
        let owners = identities.iter().map(|record| OwnerId::new(record.id));
        callers.extend(owners.map(KeyCaller::Identity));
        self.look_up_key(tenant, text, &callers).await
    }

    async fn places(
        &self,
        tenant: TenantId,
        text: &str,
        caller: KeyCaller,
        places: &mut Vec<Place>,
    ) -> Result<()> {
        let place = |name: &str, claim: Claim| Place {
            caller,
            operation: name.replace(' ', "_"),
            key: claim.key,
        };
        if let KeyCaller::Key(id) = caller {
            let key = IdempotencyKey::new(text, "")?;
            places.extend(KeyOperation::ALL.into_iter().map(|operation| {
                let claim = key.claim(tenant, id, operation, [0; 16]);
                place(operation.name(), claim)
            }));
            return Ok(());
        }
        let owner = match caller {
            KeyCaller::Identity(owner) => Some(owner),
            KeyCaller::Key(_) | KeyCaller::Programme => None,
        };
        let mut operations = match owner {
            Some(_) => ReferenceUse::OF_IDENTITY.to_vec(),
            None => ReferenceUse::OF_PROGRAMME.to_vec(),
        };
        if owner.is_some() {
            let query = RecordQuery {
                owner,
                ..RecordQuery::new(RecordKind::User, tenant)
            };
            let users = self.store.records(query).await?;
            operations.extend(users.iter().map(|user| ReferenceUse::ChangeUser(user.id)));
        }
        let reference = Reference::new(text, "");
        places.extend(operations.into_iter().map(|operation| {
            let claim = reference.claim_of(tenant, owner, operation, [0; 16]);
            place(&operation.name(), claim)
        }));
        Ok(())
    }

    async fn look(&self, tenant: TenantId, place: Place) -> Result<Option<KeyUse>> {
        let was_under_way = self.flights.is_under_way(&place.key);
        let became = match self.used_for(tenant, place.key).await? {
            Some(used) => {
                let remembered = self.store.remembered(used).await?;
                let remembered = remembered.ok_or_else(|| missing("an idempotency record"))?;
                Some(self.became(tenant, remembered).await?)
            }
            None if was_under_way => Some(Became::InFlight),
            None => {
                let refusal = self.flights.refusal(&place.key);
                refusal.map(|(at, rejection)| Became::Refused {
                    at,
                    request_id: None,
                    code: rejection.code().into(),
                    message: rejection.to_string().into(),
                    is_free: true,
                })
            }
        };
        Ok(became.map(|became| KeyUse {
            caller: place.caller,
            operation: place.operation,
            became,
        }))
    }

    async fn became(&self, tenant: TenantId, remembered: Remembered) -> Result<Became> {
        let (at, request_id) = (remembered.at, remembered.request_id);
        let made = match remembered.reply {
            RememberedReply::Refused { code, message }
            | RememberedReply::RuleRefused { code, message, .. } => {
                return Ok(Became::Refused {
                    at,
                    request_id: Some(request_id),
                    code,
                    message,
                    is_free: false,
                });
            }
            RememberedReply::Transfer { id, .. } => self.made_transfer(tenant, id).await?,
            RememberedReply::Account(account) => Made::Account(account.id),
            RememberedReply::Bulk(bulk) => Made::Bulk(bulk),
            RememberedReply::Rule(rule) => Made::Rule(rule.id),
            RememberedReply::Execution(execution) => Made::Execution(execution.id),
            RememberedReply::Records(records) => match records.first() {
                Some(record) => Made::Record(record.kind, record.id),
                None => Made::Nothing,
            },
            RememberedReply::Done => Made::Nothing,
        };
        Ok(Became::Applied {
            at,
            request_id,
            made,
        })
    }

    async fn made_transfer(&self, tenant: TenantId, id: TransferId) -> Result<Made> {
        let row = self.store.transfer(tenant, id).await?;
        let row = row.ok_or_else(|| missing("the transfer of an idempotency record"))?;
        Ok(Made::Transfer(Box::new(row)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::multi::bed::Bed;

    #[tokio::test]
    async fn a_key_is_in_flight_while_its_request_is() {
        let bed = Bed::new().await;
        let (tenant, key) = (bed.programme.tenant, bed.programme.key.id);
        let operation = KeyOperation::TriggerRule;
        let text = IdempotencyKey::new("k", "r").expect("short enough");
        let claim = text.claim(tenant, key, operation, [0; 16]);
        let callers = [KeyCaller::Key(key)];
        let looked = async || bed.service.look_up_key(tenant, "k", &callers).await;
        assert!(looked().await.expect("the store runs").is_empty());
        let flight = bed.service.flights.begin(claim.key);
        let uses = looked().await.expect("the store runs");
        assert_eq!(uses.len(), 1);
        assert_eq!(uses[0].operation, "trigger_rule");
        assert!(matches!(uses[0].became, Became::InFlight));
        drop(flight);
        assert!(looked().await.expect("the store runs").is_empty());
    }
}
