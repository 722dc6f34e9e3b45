//! The writer without queue, answers and views, for measuring what deciding and committing cost.

use std::path::Path;

use journal::{Batch, Journal};
use ledger::Millis;

use super::load::Memory;
use super::writer::error_chain;
use super::{OpenError, Options, storage};
use crate::codec;

/// Commits groups of commands to a journal of its own.
pub struct BareWriter {
    memory: Memory,
    ids: ledger::IdSource,
    journal: Journal,
    batch: Batch,
}

impl BareWriter {
    /// A writer over an empty journal in `folder`.
    ///
    /// # Errors
    /// [`OpenError`] when the folder cannot be used.
    pub fn open(folder: &Path) -> std::result::Result<BareWriter, OpenError> {
        let storage = storage(&Options::new(folder))?;
        let (journal, _) = Journal::open(storage, journal::Options::default())?;
        let ids = ledger::IdSource::new(0, 0);
        Ok(BareWriter {
            memory: Memory::default(),
            ids,
            journal,
            batch: Batch::new(),
        })
    }

    /// Decides `commands` and the work that is due at `now`, in one durable group.
    ///
    /// # Errors
    /// The first refusal or failure, as text.
    pub fn group(
        &mut self,
        commands: &[ledger::Command],
        now: Millis,
    ) -> std::result::Result<Vec<ledger::Reply>, String> {
        let mut replies = Vec::with_capacity(commands.len());
        while let Some(due) = self.memory.state.next_due(now) {
            self.one(&ledger::Command::RunDue(due), now)?;
        }
        for command in commands {
            replies.push(self.one(command, now)?);
        }
        if !self.batch.is_empty() {
            self.journal
                .commit(&mut self.batch)
                .map_err(|error| error_chain(&error))?;
        }
        Ok(replies)
    }

    fn one(
        &mut self,
        command: &ledger::Command,
        now: Millis,
    ) -> std::result::Result<ledger::Reply, String> {
        let mut context = ledger::Context {
            now,
            ids: &mut self.ids,
        };
        let decision = ledger::decide(&self.memory.state, command, &mut context)
            .map_err(|rejection| rejection.to_string())?;
        self.batch.record(|out| {
            let mut encoder = codec::begin(out, now);
            for effect in &decision.effects {
                codec::encode_effect(&mut encoder, effect);
            }
        });
        for effect in &decision.effects {
            self.memory
                .state
                .apply(effect)
                .map_err(|error| error.to_string())?;
        }
        Ok(decision.reply)
    }

    /// `fdatasync` calls made for groups.
    #[must_use]
    pub fn syncs(&self) -> u64 {
        self.journal.syncs()
    }

    /// The sum of all balances; zero.
    #[must_use]
    pub fn total(&self) -> i128 {
        self.memory
            .state
            .accounts()
            .map(|account| i128::from(account.balance))
            .sum()
    }
}
