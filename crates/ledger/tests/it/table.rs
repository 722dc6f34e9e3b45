//! Refusals in the order of their precedence: each row repairs the fault of the row above, so
//! that the next check in line is the one that speaks.

use ledger::{Command, Rejection};

use crate::world::World;

/// The code, with the field for those that name one.
pub fn spoken(outcome: Result<impl Sized, Rejection>) -> String {
    match outcome {
        Ok(_) => "ok".to_owned(),
        Err(Rejection::Invalid { field, .. }) => format!("invalid_parameters {field}"),
        Err(rejection) => rejection.code().to_owned(),
    }
}

/// A command with every fault at once, being repaired from row to row.
pub struct Table<'w, C, W> {
    world: &'w mut World,
    command: C,
    wrap: W,
    rows: usize,
    accepted: bool,
}

pub fn check<C: Clone, W: Fn(C) -> Command>(
    world: &mut World,
    command: C,
    wrap: W,
) -> Table<'_, C, W> {
    Table {
        world,
        command,
        wrap,
        rows: 0,
        accepted: false,
    }
}

impl<C: Clone, W: Fn(C) -> Command> Table<'_, C, W> {
    /// Repairs one fault and compares what is answered then; `ok` ends the table.
    pub fn row(mut self, expected: &str, repair: impl FnOnce(&mut World, &mut C)) -> Self {
        self.rows += 1;
        let row = self.rows;
        assert!(
            !self.accepted,
            "row {row} comes after the command was accepted"
        );
        repair(self.world, &mut self.command);
        let before = self.world.log.len();
        let answer = spoken(self.world.run(&(self.wrap)(self.command.clone())));
        assert_eq!(answer, expected, "row {row}");
        self.accepted = answer == "ok";
        let changed = self.world.log.len() > before;
        assert_eq!(
            changed, self.accepted,
            "row {row}: a refusal has no effects"
        );
        self
    }

    pub fn end(self) {
        assert!(self.accepted, "the last row repairs the last fault");
    }
}
