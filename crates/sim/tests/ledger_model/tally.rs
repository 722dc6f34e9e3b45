//! How often what happened: a comparison of two ledgers that refuse everything proves little.

use std::collections::BTreeMap;
use std::fmt;

use ledger::{Command, Denial, ErrorCode, OperationOutcome};

use crate::pair::Pair;

/// Counts over many sequences.
#[derive(Default)]
pub struct Tally {
    /// By command: how often it was done, and how often refused, by code.
    commands: BTreeMap<&'static str, (usize, BTreeMap<&'static str, usize>)>,
    /// By denial: of commands, of transfers whose time had come, of operations of bulks.
    denials: BTreeMap<&'static str, [usize; 3]>,
    ends: BTreeMap<String, usize>,
}

impl Tally {
    /// Adds what one sequence came to.
    pub fn take(&mut self, pair: &Pair) {
        let mut denied = |code: &'static str, place: usize| {
            if Denial::parse(code).is_some() {
                self.denials.entry(code).or_default()[place] += 1;
            }
        };
        for (name, answer) in &pair.answers {
            let (done, refused) = self.commands.entry(name).or_default();
            match answer {
                Ok(()) => *done += 1,
                Err(code) => {
                    *refused.entry(code).or_default() += 1;
                    denied(code, 0);
                }
            }
        }
        for transfer in pair.transfers.values() {
            if let Some(ErrorCode::Denied(denial)) = transfer.error {
                denied(denial.name(), 1);
            }
            let end = format!("{:?} {:?}", transfer.status, transfer.error);
            *self.ends.entry(end).or_default() += 1;
        }
        for (bulk, outcomes) in pair.bulks.values() {
            for outcome in outcomes {
                if let OperationOutcome::Denied(denial) = outcome {
                    denied(denial.name(), 2);
                }
            }
            let midway = !outcomes.is_empty() && outcomes.len() < bulk.operations.len();
            let midway = if midway { " midway" } else { "" };
            let end = format!("bulk {:?}{midway}", bulk.status);
            *self.ends.entry(end).or_default() += 1;
        }
        for run in pair.executions.values() {
            let error = run.error.map_or("", |error| error.name());
            let put_off = if run.next_attempt_at.is_some() {
                " put off"
            } else {
                ""
            };
            let end = format!("run {:?}{put_off} {error}", run.status);
            *self.ends.entry(end.trim_end().to_owned()).or_default() += 1;
            let kind = run.cause.kind();
            *self
                .ends
                .entry(format!("run {kind} {}", run.depth))
                .or_default() += 1;
        }
    }

    /// How often a command was done and refused.
    pub fn command(&self, name: &str) -> (usize, usize) {
        let known = self.commands.get(name);
        known.map_or((0, 0), |(done, refused)| (*done, refused.values().sum()))
    }

    /// How often a transfer was denied for this reason.
    pub fn denied(&self, denial: Denial) -> usize {
        let places = self.denials.get(denial.name());
        places.map_or(0, |places| places.iter().sum())
    }

    /// How many transfers or bulks stood like this at the end of their sequence.
    pub fn ended(&self, end: &str) -> usize {
        self.ends.get(end).copied().unwrap_or(0)
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, (done, refused)) in &self.commands {
            let refusals: usize = refused.values().sum();
            writeln!(f, "{name:16} {done:7} done, {refusals:7} refused")?;
            for (code, times) in refused {
                writeln!(f, "    {code:45} {times:7}")?;
            }
        }
        let head = ["asked", "when due", "in a bulk"].map(|place| format!("{place:>10}"));
        writeln!(f, "{:45}{}", "denials", head.concat())?;
        for (code, places) in &self.denials {
            let places = places.map(|times| format!("{times:10}"));
            writeln!(f, "    {code:41}{}", places.concat())?;
        }
        for (end, times) in &self.ends {
            writeln!(f, "{end:49} {times:7}")?;
        }
        Ok(())
    }
}

/// What a command is called.
pub fn name(command: &Command) -> &'static str {
    match command {
        Command::CreateTenant { .. } => "CreateTenant",
        Command::SetClock { .. } => "SetClock",
        Command::MoveClock { .. } => "MoveClock",
        Command::ClockToNextDue { .. } => "ClockToNextDue",
        Command::CreateOwner { .. } => "CreateOwner",
        Command::OpenAccount(_) => "OpenAccount",
        Command::OpenInstrument(_) => "OpenInstrument",
        Command::ChangeAccount(_) => "ChangeAccount",
        Command::SetAccountState { .. } => "SetAccountState",
        Command::DeleteAccount { .. } => "DeleteAccount",
        Command::CreateTransfer(_) => "CreateTransfer",
        Command::CreateProfile(_) => "CreateProfile",
        Command::ChangeProfile(_) => "ChangeProfile",
        Command::Transfer(_) => "Transfer",
        Command::CancelTransfer { .. } => "CancelTransfer",
        Command::SubmitBulk { .. } => "SubmitBulk",
        Command::SteerBulk { .. } => "SteerBulk",
        Command::MoneyIn(_) => "MoneyIn",
        Command::MoneyOut(_) => "MoneyOut",
        Command::ReturnTransfer { .. } => "ReturnTransfer",
        Command::DecideApproval { .. } => "DecideApproval",
        Command::SetRuleApproval { .. } => "SetRuleApproval",
        Command::PlaceHold(_) => "PlaceHold",
        Command::ReleaseHold { .. } => "ReleaseHold",
        Command::CreateRule(_) => "CreateRule",
        Command::ChangeRule(_) => "ChangeRule",
        Command::DeleteRule { .. } => "DeleteRule",
        Command::SwitchRule { .. } => "SwitchRule",
        Command::TriggerRule(_) => "TriggerRule",
        Command::AnswerAmounts { .. } => "AnswerAmounts",
        Command::RunDue(_) => "RunDue",
    }
}
