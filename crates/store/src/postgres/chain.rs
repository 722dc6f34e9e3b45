//! The chain of an account's entries: each row has the hash of its entry and of the chain before
//! it, the account has the newest. An entry that is changed, removed or put in between is found by
//! adding the chain up again.

use ledger::AccountId;

use crate::codes::Code;
use crate::query::EntryRow;

/// A place in a chain.
pub(crate) type Chain = [u8; 32];

/// The chain of an account without entries.
pub(crate) const EMPTY: Chain = [0; 32];

/// The chain with `entry` at its end, when it was `before` without.
///
/// BLAKE3 of the chain before and of the entry's numbers, each in eight bytes, little-endian: the
/// account, the sequence number, the transfer, the side's code, the amount, the balance after it
/// and the time.
#[must_use]
pub(crate) fn next(before: &Chain, account: AccountId, entry: &EntryRow) -> Chain {
    let mut bytes = [0; 32 + 7 * 8];
    let (chain, numbers) = bytes.split_at_mut(before.len());
    chain.copy_from_slice(before);
    let (words, _) = numbers.as_chunks_mut::<8>();
    let entry = [
        account.raw(),
        entry.sequence,
        entry.transfer.raw(),
        u64::from(entry.side.code()),
        entry.amount_minor.cast_unsigned(),
        entry.balance_after.cast_unsigned(),
        entry.at.0.cast_unsigned(),
    ];
    for (word, number) in words.iter_mut().zip(entry) {
        *word = number.to_le_bytes();
    }
    *blake3::hash(&bytes).as_bytes()
}

#[cfg(test)]
mod tests {
    use ledger::{Millis, Side, TransferId};

    use super::*;

    fn entry() -> EntryRow {
        EntryRow {
            sequence: 1,
            transfer: TransferId::new(2),
            side: Side::Credit,
            amount_minor: 300,
            balance_after: -400,
            at: Millis(-5),
        }
    }

    #[test]
    fn it_is_made_of_these_bytes() {
        let mut bytes = vec![7; 32];
        for number in [9_i64, 1, 2, 2, 300, -400, -5] {
            bytes.extend_from_slice(&number.to_le_bytes());
        }
        let chain = next(&[7; 32], AccountId::new(9), &entry());
        assert_eq!(chain, *blake3::hash(&bytes).as_bytes());
    }

    #[test]
    fn everything_about_an_entry_changes_it() {
        let account = AccountId::new(9);
        let original = next(&EMPTY, account, &entry());
        let changes: [fn(&mut EntryRow); 6] = [
            |entry| entry.sequence = 2,
            |entry| entry.transfer = TransferId::new(3),
            |entry| entry.side = Side::Debit,
            |entry| entry.amount_minor = 301,
            |entry| entry.balance_after = 400,
            |entry| entry.at = Millis(5),
        ];
        for change in changes {
            let mut other = entry();
            change(&mut other);
            assert_ne!(next(&EMPTY, account, &other), original, "{other:?}");
        }
        assert_ne!(next(&EMPTY, AccountId::new(8), &entry()), original);
        assert_ne!(next(&original, account, &entry()), original);
    }
}
