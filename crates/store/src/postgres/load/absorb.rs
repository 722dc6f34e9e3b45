//! Rows into what was loaded.

use std::sync::Arc;

use ledger::{AccountId, KeyId, OwnerId, TenantId, Work};

use super::Loaded;
use super::ask::Part;
use crate::postgres::error::Damaged;
use crate::postgres::facts::Facts;
use crate::postgres::failure::Failure;
use crate::postgres::wire::Row;
use crate::postgres::{rows, system};

impl Loaded {
    /// Takes the rows of one statement.
    ///
    /// # Errors
    /// [`Failure::Corrupt`] when a row cannot be read.
    pub(super) fn absorb(
        &mut self,
        part: Part,
        rows: &[Row],
        facts: &mut Facts,
    ) -> Result<(), Failure> {
        for row in rows {
            self.row(part, row, facts)?;
        }
        Ok(())
    }

    fn row(&mut self, part: Part, row: &Row, facts: &mut Facts) -> Result<(), Damaged> {
        match part {
            Part::Nothing => {}
            Part::Owners => {
                let owner = rows::owner(row)?;
                self.owners.insert(owner.id, owner);
            }
            Part::LockedOwners => {
                let owner = rows::owner(row)?;
                let systems = system::from_text(rows::get(row, 5)?);
                let systems = systems.ok_or_else(|| Damaged::new(5, "system accounts"))?;
                facts.put_owner(owner.id, owner.tenant);
                facts.put_system_accounts(owner.id, &systems);
                self.systems.insert(owner.id, systems);
                self.owners.insert(owner.id, owner);
            }
            Part::Tenants => {
                let tenant = rows::tenant(row)?;
                self.heads.insert(tenant.id, rows::get(row, 6)?);
                self.tenants.insert(tenant.id, tenant);
            }
            Part::Remembered => {
                let number = rows::raw(row, 1)?;
                self.remembered.insert(rows::array(row, 0)?, number);
            }
            Part::Keys => {
                let tenant = TenantId::new(rows::raw(row, 1)?);
                self.keys.insert(KeyId::new(rows::raw(row, 0)?), tenant);
            }
            Part::Records => {
                let record = rows::record(row)?;
                self.records.insert((record.kind, record.id), record);
            }
            Part::NowDue => {
                let due = rows::due(row)?;
                let owner = OwnerId::new(rows::raw(row, 4)?);
                match due.work {
                    Work::RunBulk(bulk) => facts.put_bulk(bulk, due.tenant, owner),
                    Work::RunRule(rule) => facts.put_rule(rule, due.tenant, owner),
                    Work::Settle(_) | Work::ExpireHold(_) | Work::RunExecution(_) => {}
                }
                self.known.waiting.insert((owner, due.work));
                self.now_due.push(due);
                self.due.insert(due);
            }
            Part::Accounts => {
                let stored = Arc::new(rows::stored_account(row)?);
                facts.put_account(stored.account.id, (&stored.account).into());
                facts.put_stored(Arc::clone(&stored));
                self.accounts.insert(stored.account.id, stored);
            }
            Part::Changing => {
                let id = AccountId::new(rows::raw(row, 0)?);
                let before = self.before.get(&id);
                let before = before.ok_or_else(|| Damaged::new(0, "account"))?;
                let stored = Arc::new(rows::changing(row, &before.account)?);
                facts.put_stored(Arc::clone(&stored));
                self.accounts.insert(id, stored);
            }
            Part::Profiles => {
                let profile = rows::profile(row)?;
                self.profiles.insert(profile.id, profile);
            }
            Part::Transfers => {
                let transfer = rows::transfer(row)?;
                facts.put_transfer(transfer.id, (&transfer).into());
                self.transfers.insert(transfer.id, transfer);
            }
            Part::Holds => {
                let hold = rows::hold(row)?;
                self.holds.insert(hold.id, hold);
            }
            Part::Bulks => {
                let bulk = rows::bulk(row)?;
                self.bulks.insert(bulk.id, bulk);
            }
            Part::Rules => {
                let rule = rows::rule(row)?.rule;
                facts.put_rule(rule.id, rule.tenant, rule.owner);
                self.rules.insert(rule.id, rule);
            }
            Part::Caps => {
                let (place, used, _) = rows::cap(row)?;
                self.caps.insert(place, used);
            }
            Part::Executions => {
                let execution = rows::execution(row)?;
                facts.put_execution(execution.id, (&execution).into());
                self.executions.insert(execution.id, execution);
            }
            Part::Due => drop(self.due.insert(rows::due(row)?)),
        }
        Ok(())
    }
}
