//! Answers to those whose work was committed.
//!
//! Whoever gets one wants a processor at once: a connection's task, then its client, and soon that
//! client's next request. Given the moment a group is committed, the answers of a large group take the
//! processors from the committer while the database waits for its next group. So they are given when
//! that one is on its way, or when there is none.

use std::cell::RefCell;
use std::time::Duration;

use super::batch::Answer;
use crate::Outcome;

/// An answer that is known is kept no longer than this, whatever the next group waits for.
pub(crate) const KEEP_MAX: Duration = Duration::from_millis(1);
/// This many answers are in nobody's way.
const FEW: usize = 4;

/// See the module.
#[derive(Default)]
pub(crate) struct Answers(RefCell<Vec<(Answer, Outcome)>>);

impl Answers {
    /// Keeps the answers of a group, unless they are few.
    pub(crate) fn keep(&self, answers: Vec<(Answer, Outcome)>) {
        let are_few = answers.len() < FEW;
        self.0.borrow_mut().extend(answers);
        if are_few {
            self.give();
        }
    }

    /// Gives what was kept.
    pub(crate) fn give(&self) {
        for (answer, outcome) in self.0.borrow_mut().drain(..) {
            // The caller may have gone; what was committed stays.
            drop(answer.send(Ok(outcome)));
        }
    }

    pub(crate) fn are_kept(&self) -> bool {
        !self.0.borrow().is_empty()
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::oneshot::{self, Receiver, error::TryRecvError};

    use super::{Answers, FEW};
    use crate::{Outcome, Result, Used};

    /// Keeps the answers of a group, and gives what its askers wait for.
    fn keep(answers: &Answers, group: usize) -> Vec<Receiver<Result<Outcome>>> {
        let (given, waiting): (Vec<_>, Vec<_>) = (0..group).map(|_| oneshot::channel()).unzip();
        let used = Used {
            key: [1; 16],
            number: 1,
        };
        let given = given
            .into_iter()
            .map(|answer| (answer, Outcome::Replay(used)));
        answers.keep(given.collect());
        waiting
    }

    fn are_there(waiting: &mut [Receiver<Result<Outcome>>]) -> bool {
        let waiting = waiting.iter_mut();
        let there = |asker: &mut Receiver<_>| !matches!(asker.try_recv(), Err(TryRecvError::Empty));
        let there: Vec<bool> = waiting.map(there).collect();
        assert!(
            there.iter().all(|is_there| *is_there == there[0]),
            "all or none: {there:?}"
        );
        there[0]
    }

    #[test]
    fn many_are_kept_until_they_are_to_be_given_and_few_are_not() {
        let answers = Answers::default();
        let mut many = keep(&answers, FEW);
        assert!(!are_there(&mut many) && answers.are_kept());
        answers.give();
        assert!(are_there(&mut many) && !answers.are_kept());
        answers.give();

        let mut few = keep(&answers, FEW - 1);
        assert!(are_there(&mut few) && !answers.are_kept());
    }

    /// Nobody overtakes a group that was committed before.
    #[test]
    fn few_take_what_was_kept_with_them() {
        let answers = Answers::default();
        let mut many = keep(&answers, FEW);
        let mut few = keep(&answers, 1);
        assert!(are_there(&mut many) && are_there(&mut few));
    }
}
