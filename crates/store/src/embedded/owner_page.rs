//! A page of the list of an owner's transfers, as bytes: what lists are filtered by.
//!
//! One line of fixed width for each transfer, in the order of their ids, which is the order they
//! were made in (but for a ledger that several servers have made and that was copied: there some
//! come late). Little-endian; an id of 0 is none. A line changes when its transfer's status does. [`Summary`] says of a page what can be known without reading its lines.

use ledger::{
    AccountId, AccountKind, Direction, ExecutionId, InstrumentClass, Millis, Origin, ProfileId,
    Status, Transfer, TransferId,
};

use crate::codes::Code;
use crate::query::is_executed;

/// Transfers of a full page: their lines fill two of SQLite's pages (4,096 bytes each) almost to
/// the end. They lie apart from the summaries, under the id of the first one: SQLite reads a row
/// of such a length as a whole when it looks for another one by two columns, but not by a number.
pub(crate) const LINES_MAX: usize = 107;
/// Bytes of a line.
pub(crate) const LINE_BYTES: usize = 76;
/// The time of a transfer that was never executed.
const NEVER_EXECUTED: i64 = i64::MIN;

/// A tag's mark: 128 bits of a cryptographic hash, so that two different tags do not meet.
pub(crate) type TagMark = [u8; 16];

/// No tag.
const NO_TAG: TagMark = [0; 16];

/// The mark of a tag.
pub(crate) fn tag_mark(tag: &str) -> TagMark {
    let hash = blake3::hash(tag.as_bytes());
    let mut mark = NO_TAG;
    mark.copy_from_slice(&hash.as_bytes()[..16]);
    mark
}

/// Bytes that are no page of an owner's list.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("a page of an owner's transfers is wrong: {0}")]
pub(crate) struct OwnerPageError(&'static str);

/// What lists know of a transfer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Line {
    pub id: TransferId,
    pub created_at: Millis,
    /// When it ended, unless it was called off.
    pub executed_at: Option<Millis>,
    pub source: Option<AccountId>,
    pub destination: Option<AccountId>,
    pub profile: Option<ProfileId>,
    pub execution: Option<ExecutionId>,
    /// The card of what a card did.
    pub card: Option<AccountId>,
    pub tag: Option<TagMark>,
    pub status: Status,
    pub direction: Direction,
    pub origin: Origin,
    /// What its ends are; `None` for what is no instrument.
    pub classes: (Option<InstrumentClass>, Option<InstrumentClass>),
}

impl Line {
    /// The line of `transfer`; `kind` tells what its accounts are.
    pub(crate) fn of(transfer: &Transfer, kind: impl Fn(AccountId) -> Option<AccountKind>) -> Line {
        let class = |id: Option<AccountId>| id.and_then(&kind).and_then(AccountKind::instrument);
        Line {
            id: transfer.id,
            created_at: transfer.created_at,
            executed_at: is_executed(transfer.status).then_some(transfer.updated_at),
            source: transfer.source,
            destination: transfer.destination,
            profile: transfer.profile,
            execution: transfer.rule.map(|(_, execution)| execution),
            card: transfer.card,
            tag: transfer.tag.as_deref().map(tag_mark),
            status: transfer.status,
            direction: transfer.direction,
            origin: transfer.origin,
            classes: (class(transfer.source), class(transfer.destination)),
        }
    }

    /// What made it: a card, if it is of one, else the run of a rule. Both lie in one place, as no
    /// rule pays with a card; the origin says which it is.
    fn maker(self) -> u64 {
        match self.origin.is_of_card() {
            true => self.card.map_or(0, AccountId::raw),
            false => self.execution.map_or(0, ExecutionId::raw),
        }
    }

    /// The line as bytes.
    pub(crate) fn to_bytes(self) -> [u8; LINE_BYTES] {
        let mut bytes = [0; LINE_BYTES];
        let executed = self.executed_at.map_or(NEVER_EXECUTED, |at| at.0);
        let class = |class: Option<InstrumentClass>| class.map_or(0, Code::code);
        for (index, word) in [
            self.id.raw(),
            self.created_at.0.cast_unsigned(),
            executed.cast_unsigned(),
            self.source.map_or(0, AccountId::raw),
            self.destination.map_or(0, AccountId::raw),
            self.profile.map_or(0, ProfileId::raw),
            self.maker(),
        ]
        .into_iter()
        .enumerate()
        {
            bytes[index * 8..][..8].copy_from_slice(&word.to_le_bytes());
        }
        bytes[56..72].copy_from_slice(&self.tag.unwrap_or(NO_TAG));
        bytes[72] = self.status.code();
        bytes[73] = self.direction.code();
        bytes[74] = self.origin.code();
        bytes[75] = class(self.classes.0) | class(self.classes.1) << 4;
        bytes
    }

    /// The line in bytes that [`Line::to_bytes`] made.
    pub(crate) fn from_bytes(bytes: &[u8; LINE_BYTES]) -> Result<Line, OwnerPageError> {
        let raw = RawLine(bytes);
        let class = |code: u8| match code {
            0 => Ok(None),
            code => known::<InstrumentClass>(code).map(Some),
        };
        let classes = bytes[75];
        Ok(Line {
            id: TransferId::new(raw.id()),
            created_at: Millis(raw.created_ms()),
            executed_at: raw.executed_ms().map(Millis),
            source: some(raw.source()).map(AccountId::new),
            destination: some(raw.destination()).map(AccountId::new),
            profile: some(raw.profile()).map(ProfileId::new),
            execution: some(raw.execution()).map(ExecutionId::new),
            card: some(raw.card()).map(AccountId::new),
            tag: raw.tag(),
            status: known(raw.status())?,
            direction: known(raw.direction())?,
            origin: known(raw.origin())?,
            classes: (class(classes & 15)?, class(classes >> 4)?),
        })
    }
}

fn some(raw: u64) -> Option<u64> {
    (raw != 0).then_some(raw)
}

fn known<T: Code>(code: u8) -> Result<T, OwnerPageError> {
    T::from_code(code).ok_or(OwnerPageError(T::WHAT))
}

/// A line as it lies in its page: filters look at a few of its fields only.
#[derive(Clone, Copy)]
pub(crate) struct RawLine<'a>(&'a [u8; LINE_BYTES]);

impl RawLine<'_> {
    /// The whole line.
    pub(crate) fn read(self) -> Result<Line, OwnerPageError> {
        Line::from_bytes(self.0)
    }

    fn word(self, index: usize) -> u64 {
        let bytes = &self.0[index * 8..];
        u64::from_le_bytes(
            *bytes
                .first_chunk()
                .expect("a line has seven words and more"),
        )
    }

    pub(crate) fn id(self) -> u64 {
        self.word(0)
    }

    pub(crate) fn created_ms(self) -> i64 {
        self.word(1).cast_signed()
    }

    pub(crate) fn executed_ms(self) -> Option<i64> {
        Some(self.word(2).cast_signed()).filter(|at| *at != NEVER_EXECUTED)
    }

    pub(crate) fn source(self) -> u64 {
        self.word(3)
    }

    pub(crate) fn destination(self) -> u64 {
        self.word(4)
    }

    pub(crate) fn profile(self) -> u64 {
        self.word(5)
    }

    pub(crate) fn execution(self) -> u64 {
        if self.is_of_card() { 0 } else { self.word(6) }
    }

    pub(crate) fn card(self) -> u64 {
        if self.is_of_card() { self.word(6) } else { 0 }
    }

    fn is_of_card(self) -> bool {
        Origin::from_code(self.origin()).is_some_and(Origin::is_of_card)
    }

    pub(crate) fn tag(self) -> Option<TagMark> {
        let tag = self.0[56..].first_chunk().copied();
        tag.filter(|tag| *tag != NO_TAG)
    }

    pub(crate) fn status(self) -> u8 {
        self.0[72]
    }

    pub(crate) fn direction(self) -> u8 {
        self.0[73]
    }

    pub(crate) fn origin(self) -> u8 {
        self.0[74]
    }

    /// Whether both ends are instruments.
    pub(crate) fn between_instruments(self) -> bool {
        self.0[75] & 15 != 0 && self.0[75] >> 4 != 0
    }
}

/// The lines of a page.
///
/// # Errors
/// [`OwnerPageError`] when these are not 1 to [`LINES_MAX`] whole lines.
pub(crate) fn lines(
    bytes: &[u8],
) -> Result<impl DoubleEndedIterator<Item = RawLine<'_>> + ExactSizeIterator, OwnerPageError> {
    let (lines, rest) = bytes.as_chunks::<LINE_BYTES>();
    if !rest.is_empty() || lines.is_empty() || lines.len() > LINES_MAX {
        return Err(OwnerPageError("its length"));
    }
    Ok(lines.iter().map(RawLine))
}

/// Appends a line to a page.
///
/// # Errors
/// [`OwnerPageError`] unless it is the newest.
pub(crate) fn push(page: &mut Vec<u8>, line: Line) -> Result<(), OwnerPageError> {
    let last = page.last_chunk::<LINE_BYTES>().map(RawLine);
    if last.is_some_and(|last| last.id() >= line.id.raw()) {
        return Err(OwnerPageError("a transfer is not the newest"));
    }
    page.extend_from_slice(&line.to_bytes());
    Ok(())
}

/// Puts a line in the place of the one with its id.
///
/// # Errors
/// [`OwnerPageError`] when there is none.
pub(crate) fn replace(page: &mut [u8], line: Line) -> Result<(), OwnerPageError> {
    let (lines, _) = page.as_chunks_mut::<LINE_BYTES>();
    let place = lines.binary_search_by_key(&line.id.raw(), |bytes| RawLine(bytes).id());
    let place = place.map_err(|_| OwnerPageError("a transfer is missing"))?;
    lines[place] = line.to_bytes();
    Ok(())
}

/// Statuses, each with a place in [`Summary::statuses`].
const STATUSES: usize = Status::ALL.len();
/// Bits of [`Summary::marks`].
const MARK_BITS: usize = 2_048;

/// What is known of a page without its lines.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Summary {
    /// Transfers on it.
    pub count: u64,
    pub first_id: u64,
    pub last_id: u64,
    /// The first and the last time of creation.
    pub created_ms: (i64, i64),
    /// The first and the last time of execution.
    pub executed_ms: Option<(i64, i64)>,
    /// How many have each status, in the order of the statuses' codes; then how many of those
    /// between instruments have.
    pub statuses: [u8; 2 * STATUSES],
    /// A Bloom filter of accounts, profiles, executions, cards and tags; empty, which says nothing,
    /// until the page is full.
    pub marks: Vec<u8>,
}

impl Summary {
    /// The summary of a page.
    ///
    /// # Errors
    /// [`OwnerPageError`] when a line is wrong.
    pub(crate) fn of(page: &[u8]) -> Result<Summary, OwnerPageError> {
        let lines = lines(page)?;
        let count = lines.len();
        let mut summary = Summary {
            count: count as u64,
            first_id: u64::MAX,
            last_id: 0,
            created_ms: (i64::MAX, i64::MIN),
            executed_ms: None,
            statuses: [0; 2 * STATUSES],
            marks: match count {
                LINES_MAX => vec![0; MARK_BITS / 8],
                _ => Vec::new(),
            },
        };
        for line in lines {
            summary.add(line)?;
        }
        Ok(summary)
    }

    fn add(&mut self, line: RawLine<'_>) -> Result<(), OwnerPageError> {
        let created = line.created_ms();
        self.first_id = self.first_id.min(line.id());
        self.last_id = self.last_id.max(line.id());
        self.created_ms = (
            self.created_ms.0.min(created),
            self.created_ms.1.max(created),
        );
        if let Some(at) = line.executed_ms() {
            let (from, to) = self.executed_ms.unwrap_or((at, at));
            self.executed_ms = Some((from.min(at), to.max(at)));
        }
        let place = usize::from(line.status()).checked_sub(1);
        let place = place.filter(|place| *place < STATUSES);
        let place = place.ok_or(OwnerPageError(Status::WHAT))?;
        // A page has at most 128 lines.
        self.statuses[place] += 1;
        if line.between_instruments() {
            self.statuses[STATUSES + place] += 1;
        }
        if !self.marks.is_empty() {
            for mark in Mark::all_of(line) {
                self.marks[mark.0 / 8] |= 1 << (mark.0 % 8);
                self.marks[mark.1 / 8] |= 1 << (mark.1 % 8);
            }
        }
        Ok(())
    }

    /// How many transfers have one of `statuses`, those between instruments only if so wished.
    pub(crate) fn count_of(&self, statuses: Statuses, between_instruments: bool) -> u64 {
        let from = if between_instruments { STATUSES } else { 0 };
        let counts = self.statuses[from..].iter().zip(1_u8..=STATUSES as u8);
        counts
            .filter(|(_, code)| statuses.has(*code))
            .map(|(count, _)| u64::from(*count))
            .sum()
    }

    /// How many of its transfers are between instruments.
    pub(crate) fn between_instruments(&self) -> u64 {
        self.count_of(Statuses::ANY, true)
    }

    /// Whether the page may have what `mark` stands for; false is certain.
    pub(crate) fn may_have(&self, mark: Mark) -> bool {
        let has = |bit: usize| {
            let byte = self.marks.get(bit / 8);
            byte.is_none_or(|byte| byte & 1 << (bit % 8) != 0)
        };
        has(mark.0) && has(mark.1)
    }
}

/// A set of statuses.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Statuses(u16);

impl Statuses {
    pub(crate) const ANY: Statuses = Statuses(u16::MAX);

    /// The statuses in a list; all when it is empty.
    pub(crate) fn among(statuses: &[Status]) -> Statuses {
        if statuses.is_empty() {
            return Statuses::ANY;
        }
        Statuses(
            statuses
                .iter()
                .fold(0, |set, status| set | 1 << status.code()),
        )
    }

    /// Those that are in both sets.
    pub(crate) fn and(self, other: Statuses) -> Statuses {
        Statuses(self.0 & other.0)
    }

    pub(crate) fn has(self, code: u8) -> bool {
        code < 16 && self.0 & 1 << code != 0
    }

    /// Of transfers that have not ended.
    pub(crate) fn open() -> Statuses {
        let open: Vec<Status> = Status::ALL.into_iter().filter(|s| !s.is_final()).collect();
        Statuses::among(&open)
    }

    /// Of transfers that were executed.
    pub(crate) fn executed() -> Statuses {
        let executed: Vec<Status> = Status::ALL
            .into_iter()
            .filter(|s| is_executed(*s))
            .collect();
        Statuses::among(&executed)
    }
}

/// Two bits of [`Summary::marks`] for something that transfers can be looked for by.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Mark(usize, usize);

impl Mark {
    /// Kinds apart, because an id of one kind may be that of another.
    fn new(kind: u64, value: u64) -> Mark {
        let mut hash = value.wrapping_add(kind.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        hash = (hash ^ hash >> 32).wrapping_mul(0xD6E8_FEB8_6659_FD93);
        hash = (hash ^ hash >> 32).wrapping_mul(0xD6E8_FEB8_6659_FD93);
        let bit = |hash: u64| (hash % MARK_BITS as u64) as usize;
        Mark(bit(hash >> 40), bit(hash >> 16))
    }

    pub(crate) fn account(id: u64) -> Mark {
        Mark::new(1, id)
    }

    pub(crate) fn profile(id: u64) -> Mark {
        Mark::new(2, id)
    }

    pub(crate) fn execution(id: u64) -> Mark {
        Mark::new(3, id)
    }

    pub(crate) fn card(id: u64) -> Mark {
        Mark::new(5, id)
    }

    pub(crate) fn tag(mark: TagMark) -> Mark {
        let first = mark.first_chunk().expect("a mark of 16 bytes has 8");
        Mark::new(4, u64::from_le_bytes(*first))
    }

    fn all_of(line: RawLine<'_>) -> impl Iterator<Item = Mark> {
        [
            some(line.source()).map(Mark::account),
            some(line.destination()).map(Mark::account),
            some(line.profile()).map(Mark::profile),
            some(line.execution()).map(Mark::execution),
            some(line.card()).map(Mark::card),
            line.tag().map(Mark::tag),
        ]
        .into_iter()
        .flatten()
    }
}

#[cfg(test)]
mod tests;
