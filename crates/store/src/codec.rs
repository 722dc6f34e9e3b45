//! Records of the journal as bytes.
//!
//! A record is one commit: version, the machine's time, then changes, each a tag byte and its
//! fields. Integers are little-endian or varints; times are varint differences from the commit's
//! time; texts are length and UTF-8. Decoding accepts exactly what encoding makes: unknown tags,
//! values out of range and bytes left over are errors, never guesses.

mod effects;
mod executions;
mod programme;
pub(crate) use effects::{work_of, work_parts};
pub(crate) use executions::{execution_from_bytes, execution_to_bytes};
pub(crate) use programme::{
    operations_from_bytes, operations_to_bytes, terms_from_bytes, terms_to_bytes,
};
mod records;
mod rules;
pub(crate) use rules::{rule_from_bytes, rule_to_bytes};
mod wire;

use ledger::{BulkId, Currency, Effect, KeyId, Millis, TenantId, Transfer, TransferId};

use crate::codes::Code;
use crate::records::{
    KeyRecord, Permission, RecordKind, Remembered, RememberedFault, RememberedReply,
};
pub(crate) use records::encode_record_change;
pub(crate) use wire::{CodecError, Decoder, Encoder};

/// The version of every record written by this release.
const VERSION: u8 = 1;

/// One change of a commit.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Change {
    Ledger(Effect),
    KeyCreated(KeyRecord),
    KeyRevoked {
        key: KeyId,
        at: Millis,
    },
    Remembered(Remembered),
    RecordPut(crate::Record),
    RecordDeleted {
        kind: RecordKind,
        id: u64,
    },
    /// In whose history the commit is; the first change of a commit without effects.
    Of(TenantId),
}

/// Begins a record at machine time `at`; changes follow until the record ends.
pub(crate) fn begin(out: &mut Vec<u8>, at: Millis) -> Encoder<'_> {
    out.push(VERSION);
    out.extend_from_slice(&at.0.to_le_bytes());
    Encoder::new(out, at)
}

pub(crate) fn encode_effect(e: &mut Encoder<'_>, effect: &Effect) {
    effects::encode(e, effect);
}

pub(crate) fn encode_key_created(e: &mut Encoder<'_>, key: &KeyRecord) {
    e.byte(TAG_KEY_CREATED);
    e.id(key.id.raw());
    e.id(key.tenant.raw());
    e.text(&key.name);
    e.bytes(&key.hash);
    e.text(&key.hint);
    e.text(&permissions_text(&key.permissions));
    e.time(key.created_at);
    e.option(key.revoked_at, Encoder::time);
}

pub(crate) fn encode_key_revoked(e: &mut Encoder<'_>, key: KeyId, at: Millis) {
    e.byte(TAG_KEY_REVOKED);
    e.id(key.raw());
    e.time(at);
}

pub(crate) fn encode_remembered(e: &mut Encoder<'_>, remembered: &Remembered) {
    e.byte(TAG_REMEMBERED);
    e.uint(remembered.number);
    e.bytes(&remembered.key);
    e.bytes(&remembered.body);
    e.time(remembered.at);
    e.text(&remembered.request_id);
    encode_reply(e, &remembered.reply);
}

/// Encodes any change.
pub(crate) fn encode_change(e: &mut Encoder<'_>, change: &Change) {
    match change {
        Change::Ledger(effect) => encode_effect(e, effect),
        Change::KeyCreated(key) => encode_key_created(e, key),
        Change::KeyRevoked { key, at } => encode_key_revoked(e, *key, *at),
        Change::Remembered(remembered) => encode_remembered(e, remembered),
        Change::RecordPut(_) | Change::RecordDeleted { .. } => encode_record_change(e, change),
        Change::Of(tenant) => encode_of(e, *tenant),
    }
}

pub(crate) fn encode_of(e: &mut Encoder<'_>, tenant: TenantId) {
    e.byte(TAG_OF);
    e.id(tenant.raw());
}

fn encode_reply(e: &mut Encoder<'_>, reply: &RememberedReply) {
    match reply {
        RememberedReply::Transfer {
            id,
            status,
            completed_at,
            source,
            destination,
        } => {
            e.byte(1);
            e.id(id.raw());
            e.byte(status.code());
            e.option(*completed_at, Encoder::time);
            e.option(source.as_ref(), effects::encode_party);
            e.option(destination.as_ref(), effects::encode_party);
        }
        RememberedReply::Refused { code, message } => {
            e.byte(2);
            e.text(code);
            e.text(message);
        }
        RememberedReply::Done => e.byte(3),
        RememberedReply::Records(records) => {
            e.byte(4);
            e.uint(records.len() as u64);
            for record in records {
                records::encode(e, record);
            }
        }
        RememberedReply::Account(account) => {
            e.byte(5);
            effects::encode_account(e, account);
            effects::encode_instrument(e, account);
        }
        RememberedReply::Bulk(bulk) => {
            e.byte(6);
            e.id(bulk.raw());
        }
        RememberedReply::Rule(rule) => {
            e.byte(7);
            rules::encode_rule(e, rule);
        }
        RememberedReply::Execution(execution) => {
            e.byte(8);
            executions::encode_execution(e, execution);
        }
        RememberedReply::RuleRefused {
            code,
            message,
            faults,
        } => {
            e.byte(9);
            e.text(code);
            e.text(message);
            programme::encode_list(e, faults, |e, fault| {
                e.text(&fault.path);
                e.text(&fault.code);
                e.text(&fault.reason);
            });
        }
    }
}

fn decode_reply(d: &mut Decoder<'_>) -> Result<RememberedReply, CodecError> {
    Ok(match d.byte()? {
        1 => RememberedReply::Transfer {
            id: TransferId::new(d.id()?),
            status: d.code()?,
            completed_at: d.option(Decoder::time)?,
            source: d.option(effects::decode_party)?,
            destination: d.option(effects::decode_party)?,
        },
        2 => RememberedReply::Refused {
            code: d.text()?,
            message: d.text()?,
        },
        3 => RememberedReply::Done,
        4 => {
            // Each record takes more than ten bytes, so a false count runs out of bytes early.
            let count = d.uint()?;
            let mut records = Vec::new();
            for _ in 0..count {
                records.push(records::decode(d)?);
            }
            RememberedReply::Records(records)
        }
        5 => {
            let account = effects::decode_account(d)?;
            let account = effects::decode_instrument(d, account)?;
            RememberedReply::Account(Box::new(account))
        }
        6 => RememberedReply::Bulk(BulkId::new(d.id()?)),
        7 => RememberedReply::Rule(Box::new(rules::decode_rule(d)?)),
        8 => RememberedReply::Execution(Box::new(executions::decode_execution(d)?)),
        9 => RememberedReply::RuleRefused {
            code: d.text()?,
            message: d.text()?,
            faults: programme::decode_list(d, |d| {
                Ok(RememberedFault {
                    path: d.text()?,
                    code: d.text()?,
                    reason: d.text()?,
                })
            })?,
        },
        tag => return Err(CodecError::Tag { what: "reply", tag }),
    })
}

/// A remembered answer as the views keep it: relative to its own time.
pub(crate) fn reply_to_bytes(reply: &RememberedReply, at: Millis) -> Vec<u8> {
    let mut out = Vec::with_capacity(96);
    append_reply(&mut out, reply, at);
    out
}

/// Appends what [`reply_to_bytes`] makes.
pub(crate) fn append_reply(out: &mut Vec<u8>, reply: &RememberedReply, at: Millis) {
    encode_reply(&mut Encoder::new(out, at), reply);
}

/// The remembered answer in bytes made by [`reply_to_bytes`].
pub(crate) fn reply_from_bytes(bytes: &[u8], at: Millis) -> Result<RememberedReply, CodecError> {
    let mut d = Decoder::new(bytes, at);
    let reply = decode_reply(&mut d)?;
    d.finish()?;
    Ok(reply)
}

/// A transfer in about a hundred bytes. Kept in memory only.
pub(crate) fn transfer_to_bytes(transfer: &Transfer) -> Box<[u8]> {
    // Times are told by how far they are from this one.
    let at = transfer.created_at;
    let mut out = Vec::with_capacity(160);
    out.extend_from_slice(&at.0.to_le_bytes());
    effects::encode_whole(&mut Encoder::new(&mut out, at), transfer);
    out.into_boxed_slice()
}

/// The transfer in bytes made by [`transfer_to_bytes`].
pub(crate) fn transfer_from_bytes(bytes: &[u8]) -> Result<Transfer, CodecError> {
    let (at, bytes) = bytes.split_first_chunk().ok_or(CodecError::Short)?;
    let mut d = Decoder::new(bytes, Millis(i64::from_le_bytes(*at)));
    let transfer = effects::decode_whole(&mut d)?;
    d.finish()?;
    Ok(transfer)
}

/// Permissions as they are stored: JSON, so that an operator can read them.
pub(crate) fn permissions_text(permissions: &[Permission]) -> String {
    serde_json::to_string(permissions).expect("permissions have string keys only")
}

pub(crate) fn permissions_from_text(text: &str) -> Result<Vec<Permission>, CodecError> {
    serde_json::from_str(text).map_err(|_| CodecError::Value("permissions"))
}

/// Currencies as they are stored: their codes, with a space between two.
pub(crate) fn currencies_text(currencies: &[Currency]) -> String {
    let codes: Vec<&str> = currencies.iter().map(Currency::code).collect();
    codes.join(" ")
}

/// Stricter than [`permissions_from_text`]: JSON has many spellings, a record only one.
fn decode_permissions(d: &mut Decoder<'_>) -> Result<Vec<Permission>, CodecError> {
    let text = d.text()?;
    let permissions = permissions_from_text(&text)?;
    if permissions_text(&permissions) != *text {
        return Err(CodecError::Value("permissions"));
    }
    Ok(permissions)
}

/// A record, decoded.
#[cfg(test)]
#[derive(Debug)]
pub(crate) struct Record {
    pub at: Millis,
    pub changes: Vec<Change>,
}

/// Decodes one record.
#[cfg(test)]
pub(crate) fn decode(bytes: &[u8]) -> Result<Record, CodecError> {
    let mut changes = Vec::with_capacity(4);
    let at = decode_into(bytes, &mut changes)?;
    Ok(Record { at, changes })
}

/// Decodes one record: appends its changes to `changes` and gives its time.
pub(crate) fn decode_into(bytes: &[u8], changes: &mut Vec<Change>) -> Result<Millis, CodecError> {
    let (version, rest) = bytes.split_first().ok_or(CodecError::Short)?;
    if *version != VERSION {
        return Err(CodecError::Version(*version));
    }
    let (at, rest) = rest.split_first_chunk::<8>().ok_or(CodecError::Short)?;
    let at = Millis(i64::from_le_bytes(*at));
    let mut d = Decoder::new(rest, at);
    while !d.is_empty() {
        changes.push(decode_change(&mut d)?);
    }
    Ok(at)
}

/// The machine's time of a record.
pub(crate) fn time_of(bytes: &[u8]) -> Result<Millis, CodecError> {
    let (_, rest) = bytes.split_first().ok_or(CodecError::Short)?;
    let at = rest.first_chunk::<8>().ok_or(CodecError::Short)?;
    Ok(Millis(i64::from_le_bytes(*at)))
}

const TAG_KEY_CREATED: u8 = 64;
const TAG_KEY_REVOKED: u8 = 65;
const TAG_REMEMBERED: u8 = 66;
const TAG_RECORD_PUT: u8 = 67;
const TAG_RECORD_DELETED: u8 = 68;
const TAG_OF: u8 = 69;

fn decode_change(d: &mut Decoder<'_>) -> Result<Change, CodecError> {
    Ok(match d.byte()? {
        TAG_KEY_CREATED => Change::KeyCreated(KeyRecord {
            id: KeyId::new(d.id()?),
            tenant: TenantId::new(d.id()?),
            name: d.text()?,
            hash: d.array()?,
            hint: d.text()?,
            permissions: decode_permissions(d)?,
            created_at: d.time()?,
            revoked_at: d.option(Decoder::time)?,
        }),
        TAG_KEY_REVOKED => Change::KeyRevoked {
            key: KeyId::new(d.id()?),
            at: d.time()?,
        },
        TAG_REMEMBERED => Change::Remembered(Remembered {
            number: d.uint()?,
            key: d.array()?,
            body: d.array()?,
            at: d.time()?,
            request_id: d.text()?,
            reply: decode_reply(d)?,
        }),
        TAG_RECORD_PUT => Change::RecordPut(records::decode(d)?),
        TAG_RECORD_DELETED => Change::RecordDeleted {
            kind: d.code()?,
            id: d.id()?,
        },
        TAG_OF => Change::Of(TenantId::new(d.id()?)),
        tag => Change::Ledger(effects::decode(d, tag)?),
    })
}

#[cfg(test)]
mod tests;
