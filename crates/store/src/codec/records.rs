//! Records as bytes.

use ledger::{OwnerId, TenantId};

use super::wire::{CodecError, Decoder, Encoder};
use super::{Change, TAG_RECORD_DELETED, TAG_RECORD_PUT};
use crate::codes::Code;
use crate::records::Record;

/// Encodes the change of a record; other changes have functions of their own.
pub(crate) fn encode_record_change(e: &mut Encoder<'_>, change: &Change) {
    match change {
        Change::RecordPut(record) => {
            e.byte(TAG_RECORD_PUT);
            encode(e, record);
        }
        Change::RecordDeleted { kind, id } => {
            e.byte(TAG_RECORD_DELETED);
            e.byte(kind.code());
            e.id(*id);
        }
        _ => {}
    }
}

pub(super) fn encode(e: &mut Encoder<'_>, record: &Record) {
    e.byte(record.kind.code());
    e.id(record.id);
    e.id(record.tenant.raw());
    e.option(record.owner, |e, owner| e.id(owner.raw()));
    e.uint(record.version);
    e.option(record.unique.as_ref(), |e, unique| e.bytes(unique));
    e.text(&record.body);
    e.time(record.at);
}

pub(super) fn decode(d: &mut Decoder<'_>) -> Result<Record, CodecError> {
    let record = Record {
        kind: d.code()?,
        id: d.id()?,
        tenant: TenantId::new(d.id()?),
        owner: d.option(|d| d.id().map(OwnerId::new))?,
        version: d.uint()?,
        unique: d.option(Decoder::array)?,
        body: d.text()?,
        at: d.time()?,
    };
    if record.version == 0 {
        return Err(CodecError::Value("version of a record"));
    }
    Ok(record)
}
