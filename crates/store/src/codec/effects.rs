//! The ledger's effects as bytes.

use std::sync::Arc;

use ledger::account::Reported;
use ledger::{
    Account, AccountId, AccountKind, BulkId, Due, Effect, Entry, ExecutionId, Hold, HoldId, KeyId,
    Owner, OwnerId, Party, Posting, ProfileId, RuleId, Tenant, TenantClock, TenantId, Transfer,
    TransferId, Work,
};

use super::wire::{CodecError, Decoder, Encoder};
use super::{executions, programme, rules};
use crate::codes::Code;

const TENANT_CREATED: u8 = 1;
const CLOCK_SET: u8 = 2;
const OWNER_CREATED: u8 = 3;
const ACCOUNT_OPENED: u8 = 4;
const ACCOUNT_STATE_SET: u8 = 5;
const TRANSFER_RECORDED: u8 = 6;
const TRANSFER_MOVED: u8 = 7;
const POSTED: u8 = 8;
const HOLD_PLACED: u8 = 9;
const HOLD_RELEASED: u8 = 10;
const DUE_ADDED: u8 = 11;
const DUE_REMOVED: u8 = 12;
// What has more to say than the forms above; whatever fits one of those takes it.
const INSTRUMENT_OPENED: u8 = 13;
const ACCOUNT_STATE_REASONED: u8 = 14;
const ACCOUNT_CHANGED: u8 = 15;
const PROFILE_SET: u8 = 16;
const PROFILE_TRANSFER_RECORDED: u8 = 17;
const PROFILE_TRANSFER_MOVED: u8 = 18;
const BULK_SUBMITTED: u8 = 19;
const BULK_MOVED: u8 = 20;
const BULK_STEPPED: u8 = 21;
const RULE_SET: u8 = 22;
const RULE_DELETED: u8 = 23;
const CAP_COUNTED: u8 = 24;
const EXECUTION_RECORDED: u8 = 25;
const EXECUTION_MOVED: u8 = 26;
// The numbers from 64 to 69 are of changes that are no effects (`codec.rs`).
const CARD_TRANSFER_RECORDED: u8 = 70;

pub(super) fn encode(e: &mut Encoder<'_>, effect: &Effect) {
    match effect {
        Effect::TenantCreated(tenant) => {
            e.byte(TENANT_CREATED);
            e.id(tenant.id.raw());
            e.text(&tenant.name);
            e.byte(tenant.mode.code());
            encode_clock(e, tenant.clock);
            e.time(tenant.created_at);
        }
        Effect::ClockSet { tenant, clock } => {
            e.byte(CLOCK_SET);
            e.id(tenant.raw());
            encode_clock(e, *clock);
        }
        Effect::OwnerCreated(owner) => {
            e.byte(OWNER_CREATED);
            e.id(owner.id.raw());
            e.id(owner.tenant.raw());
            e.byte(owner.kind.code());
            e.text(&owner.name);
            e.time(owner.created_at);
        }
        Effect::AccountOpened(account) => {
            let plain = is_plain_account(account);
            e.byte(if plain {
                ACCOUNT_OPENED
            } else {
                INSTRUMENT_OPENED
            });
            encode_account(e, account);
            if !plain {
                encode_instrument(e, account);
            }
        }
        Effect::AccountStateSet {
            account,
            state,
            reason,
            at,
        } => {
            e.byte(match reason {
                None => ACCOUNT_STATE_SET,
                Some(_) => ACCOUNT_STATE_REASONED,
            });
            e.id(account.raw());
            e.byte(state.code());
            e.time(*at);
            if let Some(reason) = reason {
                e.byte(reason.code());
            }
        }
        Effect::AccountChanged {
            account,
            name,
            tag,
            details,
            at,
        } => {
            e.byte(ACCOUNT_CHANGED);
            e.id(account.raw());
            e.text(name);
            encode_texts(e, &[tag, details]);
            e.time(*at);
        }
        Effect::ProfileSet(profile) => {
            e.byte(PROFILE_SET);
            programme::encode_profile(e, profile);
        }
        Effect::TransferRecorded(transfer) => {
            let plain = is_plain_transfer(transfer);
            e.byte(match transfer.card {
                Some(_) => CARD_TRANSFER_RECORDED,
                None if plain => TRANSFER_RECORDED,
                None => PROFILE_TRANSFER_RECORDED,
            });
            encode_transfer(e, transfer);
            if !plain || transfer.card.is_some() {
                encode_profile_part(e, transfer);
            }
            if let Some(card) = transfer.card {
                e.id(card.raw());
            }
        }
        Effect::TransferMoved {
            transfer,
            from,
            to,
            error,
            fee_minor,
            cancel_reason,
            at,
        } => {
            let plain = *fee_minor == 0 && cancel_reason.is_none();
            e.byte(if plain {
                TRANSFER_MOVED
            } else {
                PROFILE_TRANSFER_MOVED
            });
            e.id(transfer.raw());
            e.byte(from.code());
            e.byte(to.code());
            e.option(*error, |e, code| e.byte(code.code()));
            e.time(*at);
            if !plain {
                e.int(*fee_minor);
                e.option(cancel_reason.as_deref(), Encoder::text);
            }
        }
        Effect::BulkSubmitted(bulk) => {
            e.byte(BULK_SUBMITTED);
            programme::encode_bulk(e, bulk);
        }
        Effect::BulkMoved {
            bulk,
            from,
            to,
            mode,
            at,
        } => {
            e.byte(BULK_MOVED);
            e.id(bulk.raw());
            e.byte(from.code());
            e.byte(to.code());
            e.option(*mode, |e, mode| e.byte(mode.code()));
            e.time(*at);
        }
        Effect::BulkStepped {
            bulk,
            operation,
            outcome,
        } => {
            e.byte(BULK_STEPPED);
            e.id(bulk.raw());
            e.uint(u64::from(*operation));
            programme::encode_outcome(e, *outcome);
        }
        Effect::Posted {
            transfer,
            at,
            posting,
        } => {
            e.byte(POSTED);
            e.id(transfer.raw());
            e.time(*at);
            e.uint(posting.entries().len() as u64);
            for entry in posting.entries() {
                e.id(entry.account.raw());
                e.uint(entry.sequence);
                e.byte(entry.side.code());
                e.amount(entry.amount);
                e.int(entry.balance_after);
            }
        }
        Effect::HoldPlaced(hold) => {
            e.byte(HOLD_PLACED);
            e.id(hold.id.raw());
            e.id(hold.tenant.raw());
            e.id(hold.account.raw());
            e.amount(hold.amount);
            e.time(hold.created_at);
            e.option(hold.expires_at, Encoder::time);
        }
        Effect::HoldReleased(hold) => {
            e.byte(HOLD_RELEASED);
            e.id(hold.raw());
        }
        Effect::RuleSet(rule) => {
            e.byte(RULE_SET);
            rules::encode_rule(e, rule);
        }
        Effect::RuleDeleted { rule, at } => {
            e.byte(RULE_DELETED);
            e.id(rule.raw());
            e.time(*at);
        }
        Effect::CapCounted {
            rule,
            step,
            group,
            used,
        } => {
            e.byte(CAP_COUNTED);
            e.id(rule.raw());
            e.uint(u64::from(*step));
            e.uint(u64::from(*group));
            rules::encode_cap_used(e, *used);
        }
        Effect::ExecutionRecorded(execution) => {
            e.byte(EXECUTION_RECORDED);
            executions::encode_execution(e, execution);
        }
        Effect::ExecutionMoved {
            execution,
            step,
            at,
        } => {
            e.byte(EXECUTION_MOVED);
            e.id(execution.raw());
            executions::encode_step(e, step);
            e.time(*at);
        }
        Effect::DueAdded(due) => {
            e.byte(DUE_ADDED);
            encode_due(e, due);
        }
        Effect::DueRemoved(due) => {
            e.byte(DUE_REMOVED);
            encode_due(e, due);
        }
    }
}

pub(super) fn decode(d: &mut Decoder<'_>, tag: u8) -> Result<Effect, CodecError> {
    Ok(match tag {
        TENANT_CREATED => Effect::TenantCreated(Tenant {
            id: TenantId::new(d.id()?),
            name: d.text()?,
            mode: d.code()?,
            clock: decode_clock(d)?,
            created_at: d.time()?,
        }),
        CLOCK_SET => Effect::ClockSet {
            tenant: TenantId::new(d.id()?),
            clock: decode_clock(d)?,
        },
        OWNER_CREATED => Effect::OwnerCreated(Owner {
            id: OwnerId::new(d.id()?),
            tenant: TenantId::new(d.id()?),
            kind: d.code()?,
            name: d.text()?,
            created_at: d.time()?,
        }),
        ACCOUNT_OPENED => Effect::AccountOpened(decode_account(d)?),
        INSTRUMENT_OPENED => {
            let account = decode_account(d)?;
            let account = decode_instrument(d, account)?;
            padded(is_plain_account(&account))?;
            Effect::AccountOpened(account)
        }
        ACCOUNT_STATE_SET | ACCOUNT_STATE_REASONED => Effect::AccountStateSet {
            account: AccountId::new(d.id()?),
            state: d.code()?,
            at: d.time()?,
            reason: match tag {
                ACCOUNT_STATE_SET => None,
                _ => Some(d.code()?),
            },
        },
        ACCOUNT_CHANGED => Effect::AccountChanged {
            account: AccountId::new(d.id()?),
            name: d.text()?,
            tag: d.option(Decoder::text)?,
            details: d.option(Decoder::text)?,
            at: d.time()?,
        },
        PROFILE_SET => Effect::ProfileSet(programme::decode_profile(d)?),
        TRANSFER_RECORDED => Effect::TransferRecorded(decode_transfer(d)?),
        PROFILE_TRANSFER_RECORDED => {
            let transfer = decode_transfer(d)?;
            let transfer = decode_profile_part(d, transfer)?;
            padded(is_plain_transfer(&transfer))?;
            Effect::TransferRecorded(transfer)
        }
        CARD_TRANSFER_RECORDED => {
            let transfer = decode_transfer(d)?;
            let transfer = decode_profile_part(d, transfer)?;
            Effect::TransferRecorded(Transfer {
                card: Some(AccountId::new(d.id()?)),
                ..transfer
            })
        }
        TRANSFER_MOVED | PROFILE_TRANSFER_MOVED => {
            let transfer = TransferId::new(d.id()?);
            let (from, to) = (d.code()?, d.code()?);
            let error = d.option(Decoder::code)?;
            let at = d.time()?;
            let (fee_minor, cancel_reason) = match tag {
                TRANSFER_MOVED => (0, None),
                _ => (d.int()?, d.option(Decoder::text)?),
            };
            padded(tag == PROFILE_TRANSFER_MOVED && fee_minor == 0 && cancel_reason.is_none())?;
            Effect::TransferMoved {
                transfer,
                from,
                to,
                error,
                fee_minor,
                cancel_reason,
                at,
            }
        }
        BULK_SUBMITTED => Effect::BulkSubmitted(programme::decode_bulk(d)?),
        BULK_MOVED => Effect::BulkMoved {
            bulk: BulkId::new(d.id()?),
            from: d.code()?,
            to: d.code()?,
            mode: d.option(Decoder::code)?,
            at: d.time()?,
        },
        BULK_STEPPED => Effect::BulkStepped {
            bulk: BulkId::new(d.id()?),
            operation: u32::try_from(d.uint()?).map_err(|_| CodecError::Value("operation"))?,
            outcome: programme::decode_outcome(d)?,
        },
        POSTED => {
            let transfer = TransferId::new(d.id()?);
            let at = d.time()?;
            let count = d.uint()?;
            // Each entry takes more than ten bytes, so a false count runs out of bytes early.
            let mut entries = Vec::with_capacity(2);
            for _ in 0..count {
                entries.push(Entry {
                    account: AccountId::new(d.id()?),
                    sequence: d.uint()?,
                    side: d.code()?,
                    amount: d.amount()?,
                    balance_after: d.int()?,
                });
            }
            let posting = Posting::new(entries).map_err(|_| CodecError::Value("posting"))?;
            Effect::Posted {
                transfer,
                at,
                posting,
            }
        }
        HOLD_PLACED => Effect::HoldPlaced(Hold {
            id: HoldId::new(d.id()?),
            tenant: TenantId::new(d.id()?),
            account: AccountId::new(d.id()?),
            amount: d.amount()?,
            created_at: d.time()?,
            expires_at: d.option(Decoder::time)?,
        }),
        HOLD_RELEASED => Effect::HoldReleased(HoldId::new(d.id()?)),
        RULE_SET => Effect::RuleSet(rules::decode_rule(d)?),
        RULE_DELETED => Effect::RuleDeleted {
            rule: RuleId::new(d.id()?),
            at: d.time()?,
        },
        CAP_COUNTED => Effect::CapCounted {
            rule: RuleId::new(d.id()?),
            step: rules::small(d, "step")?,
            group: rules::small(d, "group")?,
            used: rules::decode_cap_used(d)?,
        },
        EXECUTION_RECORDED => Effect::ExecutionRecorded(executions::decode_execution(d)?),
        EXECUTION_MOVED => Effect::ExecutionMoved {
            execution: ExecutionId::new(d.id()?),
            step: executions::decode_step(d)?,
            at: d.time()?,
        },
        DUE_ADDED => Effect::DueAdded(decode_due(d)?),
        DUE_REMOVED => Effect::DueRemoved(decode_due(d)?),
        tag => {
            return Err(CodecError::Tag {
                what: "change",
                tag,
            });
        }
    })
}

fn encode_clock(e: &mut Encoder<'_>, clock: TenantClock) {
    match clock {
        TenantClock::Running { offset_ms } => {
            e.byte(1);
            e.int(offset_ms);
        }
        TenantClock::Frozen { at } => {
            e.byte(2);
            e.time(at);
        }
    }
}

fn decode_clock(d: &mut Decoder<'_>) -> Result<TenantClock, CodecError> {
    match d.byte()? {
        1 => Ok(TenantClock::Running {
            offset_ms: d.int()?,
        }),
        2 => Ok(TenantClock::Frozen { at: d.time()? }),
        tag => Err(CodecError::Tag { what: "clock", tag }),
    }
}

fn encode_due(e: &mut Encoder<'_>, due: &Due) {
    e.id(due.tenant.raw());
    e.time(due.at);
    let (kind, id) = work_parts(due.work);
    e.byte(kind);
    e.id(id);
}

fn decode_due(d: &mut Decoder<'_>) -> Result<Due, CodecError> {
    let tenant = TenantId::new(d.id()?);
    let at = d.time()?;
    let kind = d.byte()?;
    let work = work_of(kind, d.id()?).ok_or(CodecError::Tag {
        what: "work",
        tag: kind,
    })?;
    Ok(Due { tenant, at, work })
}

/// A piece of work as a kind and the id of its object.
pub(crate) fn work_parts(work: Work) -> (u8, u64) {
    match work {
        Work::Settle(transfer) => (1, transfer.raw()),
        Work::ExpireHold(hold) => (2, hold.raw()),
        Work::RunBulk(bulk) => (3, bulk.raw()),
        Work::RunRule(rule) => (4, rule.raw()),
        Work::RunExecution(execution) => (5, execution.raw()),
    }
}

/// The piece of work with this kind and object.
pub(crate) fn work_of(kind: u8, id: u64) -> Option<Work> {
    match kind {
        1 => Some(Work::Settle(TransferId::new(id))),
        2 => Some(Work::ExpireHold(HoldId::new(id))),
        3 => Some(Work::RunBulk(BulkId::new(id))),
        4 => Some(Work::RunRule(RuleId::new(id))),
        5 => Some(Work::RunExecution(ExecutionId::new(id))),
        _ => None,
    }
}

pub(super) fn encode_party(e: &mut Encoder<'_>, party: &Party) {
    e.id(party.id.raw());
    e.byte(party.kind.code());
    e.text(&party.name);
}

pub(super) fn decode_party(d: &mut Decoder<'_>) -> Result<Party, CodecError> {
    Ok(Party {
        id: AccountId::new(d.id()?),
        kind: d.code()?,
        name: d.text()?,
    })
}

fn encode_texts(e: &mut Encoder<'_>, texts: &[&Option<Arc<str>>]) {
    for text in texts {
        e.option(text.as_deref(), Encoder::text);
    }
}

pub(super) fn encode_account(e: &mut Encoder<'_>, account: &Account) {
    e.id(account.id.raw());
    e.id(account.tenant.raw());
    e.id(account.owner.raw());
    e.byte(account.kind.code());
    e.text(&account.name);
    encode_texts(
        e,
        &[
            &account.description,
            &account.institution,
            &account.number_last_four,
            &account.routing_last_four,
        ],
    );
    e.bytes(&account.currency.bytes());
    e.byte(account.state.code());
    e.bool(account.can_be_source);
    e.bool(account.can_be_destination);
    let reported = &account.reported;
    for sum in [
        reported.balance,
        reported.available,
        reported.last_statement,
        reported.next_payment_minimum,
    ] {
        e.option(sum, Encoder::int);
    }
    encode_texts(
        e,
        &[
            &reported.last_statement_date,
            &reported.next_payment_due_date,
        ],
    );
    e.option(reported.updated_at, Encoder::time);
    e.time(account.created_at);
    e.time(account.updated_at);
}

pub(super) fn decode_account(d: &mut Decoder<'_>) -> Result<Account, CodecError> {
    Ok(Account {
        id: AccountId::new(d.id()?),
        tenant: TenantId::new(d.id()?),
        owner: OwnerId::new(d.id()?),
        kind: d.code::<AccountKind>()?,
        name: d.text()?,
        description: d.option(Decoder::text)?,
        institution: d.option(Decoder::text)?,
        number_last_four: d.option(Decoder::text)?,
        routing_last_four: d.option(Decoder::text)?,
        currency: d.currency()?,
        profile: None,
        parent: None,
        tag: None,
        details: None,
        reason: None,
        state: d.code()?,
        can_be_source: d.bool()?,
        can_be_destination: d.bool()?,
        reported: Reported {
            balance: d.option(Decoder::int)?,
            available: d.option(Decoder::int)?,
            last_statement: d.option(Decoder::int)?,
            next_payment_minimum: d.option(Decoder::int)?,
            last_statement_date: d.option(Decoder::text)?,
            next_payment_due_date: d.option(Decoder::text)?,
            updated_at: d.option(Decoder::time)?,
        },
        created_at: d.time()?,
        updated_at: d.time()?,
        balance: 0,
        held: 0,
        entries: 0,
    })
}

fn encode_transfer(e: &mut Encoder<'_>, transfer: &Transfer) {
    e.id(transfer.id.raw());
    e.id(transfer.tenant.raw());
    e.id(transfer.owner.raw());
    e.option(transfer.source, |e, id| e.id(id.raw()));
    e.option(transfer.destination, |e, id| e.id(id.raw()));
    e.amount(transfer.amount);
    e.byte(transfer.direction.code());
    e.byte(transfer.origin.code());
    e.option(transfer.rail, |e, rail| e.byte(rail.code()));
    e.int(transfer.rail_delay_ms);
    e.byte(transfer.status.code());
    e.option(transfer.error, |e, code| e.byte(code.code()));
    e.option(
        transfer.rule,
        |e, (rule, execution): (RuleId, ExecutionId)| {
            e.id(rule.raw());
            e.id(execution.raw());
        },
    );
    e.option(transfer.key, |e, key| e.id(key.raw()));
    e.option(transfer.description.as_deref(), Encoder::text);
    e.time(transfer.created_at);
    e.time(transfer.updated_at);
    e.option(transfer.completed_at, Encoder::time);
}

fn decode_transfer(d: &mut Decoder<'_>) -> Result<Transfer, CodecError> {
    Ok(Transfer {
        id: TransferId::new(d.id()?),
        tenant: TenantId::new(d.id()?),
        owner: OwnerId::new(d.id()?),
        source: d.option(|d| d.id().map(AccountId::new))?,
        destination: d.option(|d| d.id().map(AccountId::new))?,
        amount: d.amount()?,
        direction: d.code()?,
        origin: d.code()?,
        rail: d.option(Decoder::code)?,
        rail_delay_ms: d.int()?,
        status: d.code()?,
        error: d.option(Decoder::code)?,
        rule: d.option(|d| Ok((RuleId::new(d.id()?), ExecutionId::new(d.id()?))))?,
        key: d.option(|d| d.id().map(KeyId::new))?,
        description: d.option(Decoder::text)?,
        profile: None,
        tag: None,
        scheduled_at: None,
        fee_minor: 0,
        cancel_reason: None,
        card: None,
        created_at: d.time()?,
        updated_at: d.time()?,
        completed_at: d.option(Decoder::time)?,
    })
}

/// All of a transfer, whichever dialect made it.
pub(super) fn encode_whole(e: &mut Encoder<'_>, transfer: &Transfer) {
    encode_transfer(e, transfer);
    encode_profile_part(e, transfer);
    e.option(transfer.card, |e, id| e.id(id.raw()));
}

pub(super) fn decode_whole(d: &mut Decoder<'_>) -> Result<Transfer, CodecError> {
    let transfer = decode_transfer(d)?;
    let transfer = decode_profile_part(d, transfer)?;
    let card = d.option(|d| d.id().map(AccountId::new))?;
    Ok(Transfer { card, ..transfer })
}

/// A longer form that says no more than the shorter one is not what encoding makes.
fn padded(fits_the_shorter: bool) -> Result<(), CodecError> {
    if fits_the_shorter {
        return Err(CodecError::Value("form"));
    }
    Ok(())
}

fn is_plain_account(account: &Account) -> bool {
    account.profile.is_none()
        && account.parent.is_none()
        && account.tag.is_none()
        && account.details.is_none()
        && account.reason.is_none()
}

pub(super) fn encode_instrument(e: &mut Encoder<'_>, account: &Account) {
    e.option(account.profile, |e, id| e.id(id.raw()));
    e.option(account.parent, |e, id| e.id(id.raw()));
    encode_texts(e, &[&account.tag, &account.details]);
    e.option(account.reason, |e, reason| e.byte(reason.code()));
}

pub(super) fn decode_instrument(
    d: &mut Decoder<'_>,
    account: Account,
) -> Result<Account, CodecError> {
    Ok(Account {
        profile: d.option(|d| d.id().map(ProfileId::new))?,
        parent: d.option(|d| d.id().map(AccountId::new))?,
        tag: d.option(Decoder::text)?,
        details: d.option(Decoder::text)?,
        reason: d.option(Decoder::code)?,
        ..account
    })
}

fn is_plain_transfer(transfer: &Transfer) -> bool {
    transfer.profile.is_none()
        && transfer.tag.is_none()
        && transfer.scheduled_at.is_none()
        && transfer.fee_minor == 0
        && transfer.cancel_reason.is_none()
}

fn encode_profile_part(e: &mut Encoder<'_>, transfer: &Transfer) {
    e.option(transfer.profile, |e, id| e.id(id.raw()));
    e.option(transfer.tag.as_deref(), Encoder::text);
    e.option(transfer.scheduled_at, Encoder::time);
    e.int(transfer.fee_minor);
    e.option(transfer.cancel_reason.as_deref(), Encoder::text);
}

fn decode_profile_part(d: &mut Decoder<'_>, transfer: Transfer) -> Result<Transfer, CodecError> {
    Ok(Transfer {
        profile: d.option(|d| d.id().map(ProfileId::new))?,
        tag: d.option(Decoder::text)?,
        scheduled_at: d.option(Decoder::time)?,
        fee_minor: d.int()?,
        cancel_reason: d.option(Decoder::text)?,
        ..transfer
    })
}
