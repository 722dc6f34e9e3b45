//! Rules: made, changed, deleted, triggered and read by keys.
//!
//! A rule is kept off whatever its writer says; only an operator switches it on
//! ([`crate::operator_rules`]). What no other rule could mend, an error that the linter finds in a
//! rule taken by itself, is refused when the rule is written; what depends on the owner's other
//! rules is refused when it is switched on (`docs/decisions/2026-11-21-rules-served.md`).

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use ledger::execution::{Execution, ExecutionMode};
use ledger::rule::action::ActionType;
use ledger::rule::draft::RuleDraft;
use ledger::rule::lint::{Finding, Severity, lint};
use ledger::rule::validate::{Checked, validate};
use ledger::{
    Account, AccountId, AccountKind, ChangeRule, Command, Currency, Incoming, Millis, NewRule,
    OwnerId, Party, Rejection, Reply, Rule, RuleId, TenantId, TriggerRule,
};
use store::{
    AccountQuery, Action, Claim, Outcome, Remembered, RememberedReply, RuleQuery, RuleRow, Submit,
};

use crate::Service;
use crate::error::{Error, Result};
use crate::idempotency::{IdempotencyKey, KeyOperation, fingerprint};
use crate::keys::ApiKey;
use crate::permission::{Wish, allows};
use crate::transfers::{missing, unexpected};

/// The accounts of an owner, as rules name them.
pub type Parties = BTreeMap<AccountId, Party>;

/// A rule with the names of its accounts.
#[derive(Clone, Debug)]
pub struct RuleView {
    /// The rule.
    pub rule: Rule,
    /// When it was deleted.
    pub deleted_at: Option<Millis>,
    /// The owner's accounts, as they are called now.
    pub accounts: Arc<Parties>,
}

impl RuleView {
    /// Whether every dialect has words for its actions: Platform has none for debts that are paid
    /// off together.
    #[must_use]
    pub fn is_supported(&self) -> bool {
        let mut actions = self.rule.steps.iter().flat_map(|step| &step.actions);
        actions.all(|action| {
            !matches!(
                action.action_type(),
                ActionType::Avalanche | ActionType::Snowball | ActionType::QueriedAmount
            )
        })
    }
}

/// A rule as it was answered when it was written, the first time or again.
#[derive(Clone, Debug)]
pub struct RuleAnswer {
    /// The rule, as it was in the original answer.
    pub view: RuleView,
    /// What the linter warns of in the rule by itself.
    pub warnings: Vec<Finding>,
    /// The request id of the original answer.
    pub request_id: Arc<str>,
}

/// A run as it was answered when it was asked for, the first time or again.
#[derive(Clone, Debug)]
pub struct Triggered {
    /// The run.
    pub execution: Execution,
    /// The request id of the original answer.
    pub request_id: Arc<str>,
}

/// A request that writes: its idempotency key, its body in one form, and its id.
#[derive(Clone, Debug)]
pub struct Request<'a> {
    /// The client's key.
    pub idempotency: Option<IdempotencyKey>,
    /// The parsed body: what a repeated request must have again.
    pub body: &'a [u8],
    /// The request id.
    pub id: &'a str,
}

impl Request<'_> {
    pub(crate) fn claim(
        &self,
        key: &ApiKey,
        operation: KeyOperation,
        object: u64,
    ) -> Option<Claim> {
        let text = self.idempotency.as_ref()?;
        let body = fingerprint(&[&object.to_le_bytes(), self.body]);
        Some(text.claim(key.tenant, key.id, operation, body))
    }
}

/// What became of a claimed command.
enum Settled {
    Done(Reply),
    Again(Remembered),
}

impl Service {
    /// The tenant's rules in one currency, oldest first; those about one account if so wished.
    ///
    /// # Errors
    /// [`Error::Forbidden`] without the scope.
    pub async fn rules(
        &self,
        key: &ApiKey,
        source: Option<AccountId>,
        currency: Currency,
    ) -> Result<Vec<RuleView>> {
        self.check_list_rules(key)?;
        let query = RuleQuery {
            source,
            ..RuleQuery::new(key.tenant)
        };
        let mut rows = self.store.rules(query).await?;
        rows.retain(|row| row.rule.currency == currency);
        self.rule_views(rows).await
    }

    /// Whether the key may list rules.
    ///
    /// # Errors
    /// [`Error::Forbidden`] without the scope.
    pub fn check_list_rules(&self, key: &ApiKey) -> Result<()> {
        permitted(key, Wish::ListRules)
    }

    /// One rule. `id` is `None` for a text that is no id at all.
    ///
    /// # Errors
    /// [`Error::Forbidden`] when the id is outside the key's list, whether it exists or not;
    /// [`Error::NotFound`].
    pub async fn rule(
        &self,
        key: &ApiKey,
        id: Option<RuleId>,
        currency: Currency,
    ) -> Result<RuleView> {
        permitted(key, Wish::ReadRule(id.unwrap_or(NO_RULE)))?;
        let row = self.known_rule(key.tenant, id, currency).await?;
        if row.deleted_at.is_some() {
            return Err(NOT_FOUND);
        }
        self.rule_view(row).await
    }

    /// Makes a rule, which is off.
    ///
    /// # Errors
    /// In this order: [`Error::Forbidden`], an error of the linter in the rule by itself,
    /// [`Error::KeyReused`], the ledger's refusals.
    pub async fn create_rule(
        &self,
        key: &ApiKey,
        draft: RuleDraft,
        currency: Currency,
        request: Request<'_>,
    ) -> Result<RuleAnswer> {
        permitted(key, Wish::CreateRule)?;
        let claim = request.claim(key, KeyOperation::CreateRule, 0);
        let new = self
            .new_rule(key.tenant, None, draft, Some(currency))
            .await?;
        let settled = self.settle_rule(Command::CreateRule(new), claim).await?;
        self.answer_rule(settled, request.id).await
    }

    /// Makes a rule do something else. It is off afterwards.
    ///
    /// # Errors
    /// In this order: [`Error::Forbidden`], [`Error::NotFound`], an error of the linter in the rule
    /// by itself, [`Error::KeyReused`], the ledger's refusals.
    pub async fn change_rule(
        &self,
        key: &ApiKey,
        id: Option<RuleId>,
        draft: RuleDraft,
        currency: Currency,
        request: Request<'_>,
    ) -> Result<RuleAnswer> {
        permitted(key, Wish::EditRule(id.unwrap_or(NO_RULE)))?;
        let known = self.known_rule(key.tenant, id, currency).await?;
        let claim = request.claim(key, KeyOperation::UpdateRule, known.rule.id.raw());
        let change = self
            .changed_rule(&known.rule, draft, Some(currency))
            .await?;
        let settled = self.settle_rule(Command::ChangeRule(change), claim);
        self.answer_rule(settled.await?, request.id).await
    }

    /// Takes a rule away.
    ///
    /// # Errors
    /// In this order: [`Error::Forbidden`], [`Error::NotFound`], [`Error::KeyReused`].
    pub async fn delete_rule(
        &self,
        key: &ApiKey,
        id: Option<RuleId>,
        currency: Currency,
        request: Request<'_>,
    ) -> Result<()> {
        permitted(key, Wish::EditRule(id.unwrap_or(NO_RULE)))?;
        let known = self.known_rule(key.tenant, id, currency).await?;
        let claim = request.claim(key, KeyOperation::DeleteRule, known.rule.id.raw());
        let command = Command::DeleteRule {
            tenant: key.tenant,
            owner: None,
            rule: known.rule.id,
        };
        self.settle_rule(command, claim).await.map(|_| ())
    }

    /// Runs a rule by hand; it is made after the answer.
    ///
    /// # Errors
    /// In this order: [`Error::Forbidden`], [`Error::NotFound`], [`Error::KeyReused`], the ledger's
    /// refusals.
    pub async fn trigger_rule(
        &self,
        key: &ApiKey,
        id: Option<RuleId>,
        (incoming, mode): (Incoming, ExecutionMode),
        currency: Currency,
        request: Request<'_>,
    ) -> Result<Triggered> {
        permitted(key, Wish::TriggerRule(id.unwrap_or(NO_RULE)))?;
        let known = self.known_rule(key.tenant, id, currency).await?;
        let claim = request.claim(key, KeyOperation::TriggerRule, known.rule.id.raw());
        let command = Command::TriggerRule(TriggerRule {
            tenant: key.tenant,
            owner: None,
            rule: known.rule.id,
            key: Some(key.id),
            incoming,
            mode,
        });
        match self.settle_rule(command, claim).await? {
            Settled::Done(Reply::Execution(execution)) => Ok(Triggered {
                execution,
                request_id: Arc::from(request.id),
            }),
            Settled::Done(other) => Err(unexpected(&Outcome::Done(other))),
            Settled::Again(remembered) => match remembered.reply {
                RememberedReply::Execution(execution) => Ok(Triggered {
                    execution: *execution,
                    request_id: remembered.request_id,
                }),
                _ => Err(missing("the run of an idempotency record")),
            },
        }
    }

    /// A rule of the tenant in this currency, deleted or not.
    async fn known_rule(
        &self,
        tenant: TenantId,
        id: Option<RuleId>,
        currency: Currency,
    ) -> Result<RuleRow> {
        let Some(id) = id else { return Err(NOT_FOUND) };
        let row = self.store.rule(tenant, id).await?;
        row.filter(|row| row.rule.currency == currency)
            .ok_or(NOT_FOUND)
    }

    /// The command that makes a rule for the owner of the accounts that it names, or for `owner`.
    pub(crate) async fn new_rule(
        &self,
        tenant: TenantId,
        owner: Option<OwnerId>,
        draft: RuleDraft,
        shown: Option<Currency>,
    ) -> Result<NewRule> {
        let owner = match owner {
            Some(owner) => owner,
            None => self.owner_of_draft(tenant, &draft).await?,
        };
        let settings = self.rule_settings(tenant);
        let accounts = self.owned_accounts(tenant, owner).await?;
        let rule = check_alone(&draft, (tenant, owner, NO_RULE), settings, &accounts, shown)?;
        refuse_unsound(rule.as_ref())?;
        Ok(NewRule {
            tenant,
            owner,
            draft,
            settings,
        })
    }

    /// The command that changes a rule.
    pub(crate) async fn changed_rule(
        &self,
        known: &Rule,
        draft: RuleDraft,
        shown: Option<Currency>,
    ) -> Result<ChangeRule> {
        let settings = self.rule_settings(known.tenant);
        let accounts = self.owned_accounts(known.tenant, known.owner).await?;
        let who = (known.tenant, known.owner, known.id);
        let rule = check_alone(&draft, who, settings, &accounts, shown)?;
        refuse_unsound(rule.as_ref())?;
        Ok(ChangeRule {
            tenant: known.tenant,
            owner: None,
            rule: known.id,
            draft,
            settings,
        })
    }

    pub(crate) async fn owned_accounts(
        &self,
        tenant: TenantId,
        owner: OwnerId,
    ) -> Result<HashMap<AccountId, Account>> {
        let query = AccountQuery {
            owner: Some(owner),
            ..AccountQuery::new(tenant)
        };
        let rows = self.store.accounts(query).await?;
        let accounts = rows.into_iter().map(|row| (row.account.id, row.account));
        Ok(accounts.collect())
    }

    /// The owner of the first account that a draft names and that exists.
    pub(crate) async fn owner_of_draft(
        &self,
        tenant: TenantId,
        draft: &RuleDraft,
    ) -> Result<OwnerId> {
        let actions = draft.steps.iter().flat_map(|step| &step.actions);
        let named =
            draft.trigger.account.into_iter().chain(
                actions.flat_map(|action| action.source.into_iter().chain(action.destination)),
            );
        // Whoever names dozens of accounts that do not exist is told so by the first few.
        for account in named.take(OWNER_TRIES) {
            if let Some(row) = self.store.account(tenant, account).await? {
                return Ok(row.account.owner);
            }
        }
        let nothing = |_| None;
        match validate(draft, OwnerId::new(0), &nothing) {
            Err(faults) => Err(Rejection::RuleFaulty(faults).into()),
            Ok(_) => Err(Rejection::OwnerNotFound.into()),
        }
    }

    async fn settle_rule(&self, command: Command, claim: Option<Claim>) -> Result<Settled> {
        let body = claim.as_ref().map(|claim| claim.body);
        let submit = Submit {
            action: Action::Command(command),
            claim,
        };
        match self.submit(submit).await? {
            Outcome::Done(reply) => Ok(Settled::Done(reply)),
            Outcome::Refused(Rejection::RuleNotFound) => Err(NOT_FOUND),
            Outcome::Refused(rejection) => Err(rejection.into()),
            Outcome::Replay(used) => Ok(Settled::Again(self.recall(used, body).await?)),
            other => Err(unexpected(&other)),
        }
    }

    async fn answer_rule(&self, settled: Settled, request_id: &str) -> Result<RuleAnswer> {
        let (rule, request_id) = match settled {
            Settled::Done(Reply::Rule(rule)) => (rule, Arc::from(request_id)),
            Settled::Done(other) => return Err(unexpected(&Outcome::Done(other))),
            Settled::Again(remembered) => match remembered.reply {
                RememberedReply::Rule(rule) => (*rule, remembered.request_id),
                _ => return Err(missing("the rule of an idempotency record")),
            },
        };
        self.answered(rule, request_id).await
    }

    pub(crate) async fn answered(&self, rule: Rule, request_id: Arc<str>) -> Result<RuleAnswer> {
        let mut warnings = lint(&[&rule]);
        warnings.retain(|finding| finding.severity == Severity::Warning);
        let row = RuleRow {
            rule,
            deleted_at: None,
        };
        Ok(RuleAnswer {
            view: self.rule_view(row).await?,
            warnings,
            request_id,
        })
    }

    pub(crate) async fn rule_view(&self, row: RuleRow) -> Result<RuleView> {
        let mut views = self.rule_views(vec![row]).await?;
        views.pop().ok_or(NOT_FOUND)
    }

    /// One reading of the accounts for each owner, however many rules it has.
    pub(crate) async fn rule_views(&self, rows: Vec<RuleRow>) -> Result<Vec<RuleView>> {
        let mut owners: HashMap<OwnerId, Arc<Parties>> = HashMap::new();
        let mut views = Vec::with_capacity(rows.len());
        for RuleRow { rule, deleted_at } in rows {
            let accounts = match owners.get(&rule.owner) {
                Some(accounts) => Arc::clone(accounts),
                None => {
                    let owned = self.owned_accounts(rule.tenant, rule.owner).await?;
                    let parties = owned.values().map(|account| (account.id, account.party()));
                    let parties: Arc<Parties> = Arc::new(parties.collect());
                    owners.insert(rule.owner, Arc::clone(&parties));
                    parties
                }
            };
            views.push(RuleView {
                rule,
                deleted_at,
                accounts,
            });
        }
        Ok(views)
    }
}

/// A rule's id that is never issued.
pub(crate) const NO_RULE: RuleId = RuleId::new(0);
pub(crate) const NOT_FOUND: Error = Error::NotFound { what: "rule" };
/// Accounts of a draft that are looked up for their owner.
const OWNER_TRIES: usize = 8;

fn permitted(key: &ApiKey, wish: Wish) -> Result<()> {
    match allows(&key.permissions, wish) {
        true => Ok(()),
        false => Err(Error::Forbidden),
    }
}

/// The rule that a draft would be, taken by itself. `None` when the ledger will refuse it: only the
/// ledger's own answer counts, which a repeated request gets from its record.
///
/// With a currency the draft can only name what the dialect shows.
///
/// # Errors
/// The faults of a draft that names accounts which the dialect does not show.
pub(crate) fn check_alone(
    draft: &RuleDraft,
    (tenant, owner, id): (TenantId, OwnerId, RuleId),
    settings: ledger::rule::Settings,
    accounts: &HashMap<AccountId, Account>,
    shown: Option<Currency>,
) -> Result<Option<Rule>> {
    let hidden = |account: &Account| {
        account.kind == AccountKind::DebitCard
            || shown.is_some_and(|currency| account.currency != currency)
    };
    let lookup = |id| accounts.get(&id);
    let seen = |id| accounts.get(&id).filter(|account| !hidden(account));
    let (Ok(checked), looked) = (
        validate(draft, owner, &lookup),
        validate(draft, owner, &seen),
    ) else {
        return Ok(None);
    };
    looked.map_err(Rejection::RuleFaulty)?;
    let Checked {
        name,
        description,
        trigger,
        steps,
        currency,
    } = checked;
    Ok(Some(Rule {
        id,
        tenant,
        owner,
        name,
        description,
        enabled: false,
        trigger,
        steps,
        currency,
        settings,
        approval_above_minor: None,
        version: 1,
        created_at: Millis(0),
        updated_at: Millis(0),
    }))
}

/// Refuses what the linter calls an error in the rule by itself.
fn refuse_unsound(rule: Option<&Rule>) -> Result<()> {
    let Some(rule) = rule else { return Ok(()) };
    let mut found = lint(&[rule]).into_iter();
    match found.find(|finding| finding.severity == Severity::Error) {
        None => Ok(()),
        Some(Finding {
            code, path, text, ..
        }) => Err(Rejection::RuleUnsound { code, path, text }.into()),
    }
}
