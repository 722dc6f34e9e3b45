//! What an operator sets for a tenant, kept in memory.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use ledger::rule::RoundDown;
use ledger::{Rejection, Tenant, TenantId, TenantMode};
use serde::{Deserialize, Serialize};
use store::{Action, Expect, Outcome, Put, PutId, PutOwner, Record, RecordKind, Store, Submit};

use super::rates::{LIVE_DEFAULT, RateLimit};
use super::stored::{body, corrupt};
use crate::error::{Error, Result};
use crate::faults::{FAULTS_MAX, Fault, NO_FAULT};
use crate::transfers::unexpected;
use crate::{Service, StoreError};

/// What an operator sets for a tenant.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct TenantSettings {
    /// Whether requests may only have fields that are known.
    pub strict: bool,
    /// Whether one person may be the root user of several identities.
    pub multi_identity: bool,
    /// Limits of requests; none of them when empty. Those of the tenant's mode when `None`: three
    /// for live tenants, none for sandboxes.
    pub rate_limits: Option<Vec<RateLimit>>,
    /// How the rules that are written from now on are read.
    #[serde(default)]
    pub rules: RuleReading,
    /// What goes wrong with the tenant's writes and deliveries. Only sandboxes have some.
    #[serde(default)]
    pub faults: Vec<FaultSwitch>,
}

/// A fault that is switched on.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct FaultSwitch {
    /// As [`Fault::parse`] reads it.
    pub fault: String,
    /// How often: 1 is every time, 3 the first and then every third.
    pub every: u32,
}

/// The rarest that a switched fault may be.
pub const FAULT_EVERY_MAX: u32 = 1_000_000;

/// How a tenant wants its rules read.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct RuleReading {
    /// Whether rounding an account down keeps the amount as a buffer and moves what is above it;
    /// otherwise what is above a multiple of the amount is moved.
    pub round_down_keeps_buffer: bool,
    /// Minutes that the local calendar is ahead of UTC, at most 14 hours either way.
    pub utc_offset_minutes: i16,
}

/// Minutes that a calendar may be ahead of UTC, or behind it.
pub const UTC_OFFSET_MAX: i16 = 14 * 60;

/// Limits that one tenant may have.
pub const RATE_LIMITS_MAX: usize = 8;

impl TenantSettings {
    /// The limits in force.
    #[must_use]
    pub fn limits(&self, is_live: bool) -> &[RateLimit] {
        match &self.rate_limits {
            Some(limits) => limits,
            None if is_live => &LIVE_DEFAULT,
            None => &[],
        }
    }

    fn check(&self) -> Result<()> {
        let invalid = |reason| {
            Err(Error::Invalid {
                field: "rate_limits",
                reason,
            })
        };
        let limits = self.rate_limits.as_deref().unwrap_or_default();
        if limits.len() > RATE_LIMITS_MAX {
            return invalid("must be at most 8");
        }
        if limits.iter().any(|l| l.requests == 0 || l.window_s == 0) {
            return invalid("must have at least 1 request in at least 1 second");
        }
        self.check_faults()?;
        let offset = self.rules.utc_offset_minutes;
        if !(-UTC_OFFSET_MAX..=UTC_OFFSET_MAX).contains(&offset) {
            return Err(Error::Invalid {
                field: "utc_offset_minutes",
                reason: "must be from -840 to 840",
            });
        }
        Ok(())
    }

    fn check_faults(&self) -> Result<()> {
        let invalid = |reason| {
            Err(Error::Invalid {
                field: "faults",
                reason,
            })
        };
        if self.faults.len() > FAULTS_MAX {
            return invalid("must be at most 8");
        }
        if self
            .faults
            .iter()
            .any(|one| Fault::parse(&one.fault).is_none())
        {
            return invalid(NO_FAULT);
        }
        let often = 1..=FAULT_EVERY_MAX;
        if self.faults.iter().any(|one| !often.contains(&one.every)) {
            return invalid("must each be every 1 to 1000000 times");
        }
        Ok(())
    }
}

/// The settings of every tenant that has some.
pub(crate) struct SettingsCache {
    known: RwLock<HashMap<TenantId, Arc<TenantSettings>>>,
    default: Arc<TenantSettings>,
    /// Whether any tenant has faults.
    any_faults: AtomicBool,
    /// Held while settings are written, so that memory ends with what is written last.
    writing: tokio::sync::Mutex<()>,
}

impl SettingsCache {
    pub(super) async fn open(store: &dyn Store, tenants: &[Tenant]) -> Result<SettingsCache> {
        let mut known = HashMap::new();
        for tenant in tenants {
            let record = find(store, tenant.id).await?;
            if let Some(record) = record {
                known.insert(tenant.id, Arc::new(read(&record)?));
            }
        }
        let any_faults = any_faults(&known);
        Ok(SettingsCache {
            known: RwLock::new(known),
            any_faults: AtomicBool::new(any_faults),
            default: Arc::default(),
            writing: tokio::sync::Mutex::default(),
        })
    }

    pub(crate) fn any_faults(&self) -> bool {
        self.any_faults.load(Ordering::Relaxed)
    }

    pub(crate) fn get(&self, tenant: TenantId) -> Arc<TenantSettings> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(known.get(&tenant).unwrap_or(&self.default))
    }

    /// Takes over what another server has set.
    pub(super) async fn read_again(&self, store: &dyn Store, tenant: TenantId) -> Result<()> {
        let _writing = self.writing.lock().await;
        if let Some(record) = find(store, tenant).await? {
            self.set(tenant, read(&record)?);
        }
        Ok(())
    }

    fn set(&self, tenant: TenantId, settings: TenantSettings) -> Arc<TenantSettings> {
        let settings = Arc::new(settings);
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        known.insert(tenant, Arc::clone(&settings));
        self.any_faults.store(any_faults(&known), Ordering::Relaxed);
        settings
    }
}

fn any_faults(known: &HashMap<TenantId, Arc<TenantSettings>>) -> bool {
    known.values().any(|settings| !settings.faults.is_empty())
}

async fn find(
    store: &dyn Store,
    tenant: TenantId,
) -> std::result::Result<Option<Record>, StoreError> {
    let kind = RecordKind::Settings;
    store.record(kind, tenant, tenant.raw()).await
}

fn read(record: &Record) -> std::result::Result<TenantSettings, StoreError> {
    serde_json::from_str(&record.body).map_err(|_| corrupt("settings", record.id))
}

impl Service {
    /// What is set for a tenant.
    ///
    /// # Errors
    /// [`Error::NotFound`] without such a tenant.
    pub async fn tenant_settings(&self, tenant: TenantId) -> Result<Arc<TenantSettings>> {
        self.tenant(tenant).await?;
        Ok(self.multi.settings.get(tenant))
    }

    /// How rules that are written now are read.
    pub(crate) fn rule_settings(&self, tenant: TenantId) -> ledger::rule::Settings {
        let RuleReading {
            round_down_keeps_buffer,
            utc_offset_minutes,
        } = self.multi.settings.get(tenant).rules;
        ledger::rule::Settings {
            round_down: match round_down_keeps_buffer {
                true => RoundDown::Buffer,
                false => RoundDown::Multiple,
            },
            utc_offset_minutes,
            rail_delay_ms: self.settings.rail_delay_ms,
        }
    }

    /// Sets all of it anew; in force when this returns.
    ///
    /// # Errors
    /// [`Error::NotFound`] without such a tenant; [`Error::Invalid`].
    pub async fn set_tenant_settings(
        &self,
        tenant: TenantId,
        settings: TenantSettings,
    ) -> Result<Arc<TenantSettings>> {
        settings.check()?;
        let mode = self.tenant(tenant).await?.mode;
        if mode != TenantMode::Sandbox && !settings.faults.is_empty() {
            return Err(Rejection::SandboxOnly.into());
        }
        let _writing = self.multi.settings.writing.lock().await;
        let before = find(&*self.store, tenant).await?;
        let put = Put {
            kind: RecordKind::Settings,
            id: PutId::Known(tenant.raw()),
            tenant,
            owner: PutOwner::None,
            unique: None,
            expect: before.map_or(Expect::Absent, |_| Expect::Present),
            body: Some(body(&settings)),
        };
        let submit = Submit {
            action: Action::Put(vec![put]),
            claim: None,
        };
        match self.store.submit(submit).await? {
            Outcome::Stored { .. } => Ok(self.multi.settings.set(tenant, settings)),
            Outcome::Refused(rejection) => Err(rejection.into()),
            other => Err(unexpected(&other)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::multi::bed::Bed;

    fn limit(requests: u32, window_s: u32) -> RateLimit {
        RateLimit { requests, window_s }
    }

    #[tokio::test]
    async fn settings_are_kept_and_in_force_at_once() {
        let bed = Bed::new().await;
        let tenant = bed.programme.tenant;
        let service = &bed.service;
        let default = service.tenant_settings(tenant).await.expect("known");
        assert_eq!(*default, TenantSettings::default());
        assert!(!bed.programme.is_strict());
        for multi_identity in [true, false] {
            let settings = TenantSettings {
                strict: true,
                multi_identity,
                rate_limits: Some(vec![limit(1, 60)]),
                rules: RuleReading {
                    round_down_keeps_buffer: true,
                    utc_offset_minutes: -300,
                },
                faults: Vec::new(),
            };
            let set = service.set_tenant_settings(tenant, settings.clone()).await;
            assert_eq!(*set.expect("acceptable"), settings);
        }
        // A programme goes by the settings that it was found with.
        assert!(!bed.programme.is_strict());
        let programme = bed.programme_now();
        assert!(programme.is_strict());
        service.spend(&programme).expect("the first");
        assert!(matches!(
            service.spend(&programme),
            Err(crate::multi::Error::TooManyRequests(_))
        ));
        let bed = bed.reopen().await;
        let known = bed.service.tenant_settings(tenant).await.expect("known");
        assert!(known.strict && !known.multi_identity);
        assert_eq!(known.rate_limits, Some(vec![limit(1, 60)]));
        let read = bed.service.rule_settings(tenant);
        assert_eq!(read.round_down, RoundDown::Buffer);
        assert_eq!(read.utc_offset_minutes, -300);
    }

    #[test]
    fn settings_that_were_kept_before_there_were_rules_are_read() {
        let kept = r#"{"strict":true,"multi_identity":false,"rate_limits":null}"#;
        let settings: TenantSettings = serde_json::from_str(kept).expect("known members");
        assert!(settings.strict);
        assert_eq!(settings.rules, RuleReading::default());
        assert!(settings.faults.is_empty());
    }

    #[tokio::test]
    async fn impossible_settings_are_refused() {
        let bed = Bed::new().await;
        let tenant = bed.programme.tenant;
        for limits in [
            vec![limit(0, 60)],
            vec![limit(1, 0)],
            vec![limit(1, 1); RATE_LIMITS_MAX + 1],
        ] {
            let settings = TenantSettings {
                rate_limits: Some(limits),
                ..TenantSettings::default()
            };
            let refused = bed.service.set_tenant_settings(tenant, settings).await;
            assert!(matches!(refused, Err(Error::Invalid { .. })), "{refused:?}");
        }
        for utc_offset_minutes in [-841, 841, i16::MIN] {
            let settings = TenantSettings {
                rules: RuleReading {
                    utc_offset_minutes,
                    ..RuleReading::default()
                },
                ..TenantSettings::default()
            };
            let refused = bed.service.set_tenant_settings(tenant, settings).await;
            assert!(matches!(refused, Err(Error::Invalid { .. })), "{refused:?}");
        }
        let nobody = TenantId::new(1);
        let settings = TenantSettings::default();
        let refused = bed.service.set_tenant_settings(nobody, settings).await;
        assert!(
            matches!(refused, Err(Error::NotFound { .. })),
            "{refused:?}"
        );
    }

    #[test]
    fn live_tenants_have_limits_unless_set() {
        let default = TenantSettings::default();
        assert_eq!(default.limits(true), LIVE_DEFAULT);
        assert_eq!(default.limits(false), []);
        let none = TenantSettings {
            rate_limits: Some(Vec::new()),
            ..TenantSettings::default()
        };
        assert_eq!(none.limits(true), []);
    }
}
