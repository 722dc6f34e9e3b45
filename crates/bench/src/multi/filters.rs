//! The lists that are asked for, each filter by itself, and what must come.
//!
//! Half of the values of a filter are drawn as often as they occur, the other half evenly, so that
//! what matches much and what matches little both decide about the slowest hundredth.

use super::history::{End, Made, TAGS, tag_text};
use super::scripts::Wanted;
use super::world::World;
use crate::random::Random;

/// Values of one filter. One of them alone is more than a hundredth of the answers.
const VALUES: usize = 64;

/// The name of the list without a filter.
pub const NONE: &str = "none";

/// The usual window of those who ask for one.
const MONTH_MS: i64 = 30 * 24 * 60 * 60 * 1000;

/// One kind of list.
pub struct Filter {
    /// Its name in the query string.
    pub name: &'static str,
    /// The lists.
    pub wanted: Vec<Wanted>,
}

/// One value of a filter.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Condition {
    Profile(usize),
    Source(usize),
    State(End),
    CreatedFrom(i64),
    CreatedTo(i64),
    ExecutedFrom(i64),
    ExecutedTo(i64),
    CreatedWithin(i64, i64),
    ExecutedWithin(i64, i64),
    Tag(u64),
}

impl Condition {
    fn matches(self, made: &Made) -> bool {
        match self {
            Condition::Profile(profile) => made.profile == profile,
            Condition::Source(source) => made.source == source,
            Condition::State(end) => made.end == end,
            Condition::CreatedFrom(at) => made.created_at >= at,
            Condition::CreatedTo(at) => made.created_at <= at,
            Condition::ExecutedFrom(at) => made.executed_at.is_some_and(|done| done >= at),
            Condition::ExecutedTo(at) => made.executed_at.is_some_and(|done| done <= at),
            Condition::CreatedWithin(from, to) => (from..=to).contains(&made.created_at),
            Condition::ExecutedWithin(from, to) => made
                .executed_at
                .is_some_and(|done| (from..=to).contains(&done)),
            Condition::Tag(tag) => made.tag == Some(tag),
        }
    }

    fn query(self, world: &World) -> String {
        match self {
            Condition::Profile(profile) => format!("profileId={}", world.profiles[profile]),
            Condition::Source(source) => {
                format!("id={}&type=managed_accounts", world.accounts[source])
            }
            Condition::State(end) => format!("state={}", state_text(end)),
            Condition::CreatedFrom(at) => format!("createdFrom={at}"),
            Condition::CreatedTo(at) => format!("createdTo={at}"),
            Condition::ExecutedFrom(at) => format!("executedFrom={at}"),
            Condition::ExecutedTo(at) => format!("executedTo={at}"),
            Condition::CreatedWithin(from, to) => format!("createdFrom={from}&createdTo={to}"),
            Condition::ExecutedWithin(from, to) => format!("executedFrom={from}&executedTo={to}"),
            Condition::Tag(tag) => format!("tag={}", tag_text(tag)),
        }
    }
}

fn state_text(end: End) -> &'static str {
    match end {
        End::Completed => "COMPLETED",
        End::Failed => "FAILED",
        End::Cancelled => "CANCELLED",
        End::Scheduled => "SCHEDULED",
    }
}

/// A kind of list, how to draw a value that occurs, and how to draw one evenly.
struct Kind {
    name: &'static str,
    occurring: fn(&Made) -> Option<Condition>,
    even: fn(&mut Random, &World, &Span) -> Condition,
}

/// From the first transfer to the last.
struct Span {
    from: i64,
    to: i64,
}

impl Span {
    fn draw(&self, random: &mut Random) -> i64 {
        let length = self.to.abs_diff(self.from) + 1;
        self.from.saturating_add_unsigned(random.below(length))
    }

    fn draw_two(&self, random: &mut Random) -> (i64, i64) {
        let (one, other) = (self.draw(random), self.draw(random));
        (one.min(other), one.max(other))
    }
}

/// Every filter, in the order of the API's documents; the two windows also with both ends.
const KINDS: [Kind; 10] = [
    Kind {
        name: "profileId",
        occurring: |made| Some(Condition::Profile(made.profile)),
        even: |random, world, _| Condition::Profile(index(random, world.profiles.len())),
    },
    Kind {
        name: "instrumentId",
        occurring: |made| Some(Condition::Source(made.source)),
        even: |random, world, _| Condition::Source(index(random, world.accounts.len())),
    },
    Kind {
        name: "state",
        occurring: |made| Some(Condition::State(made.end)),
        even: |random, _, _| {
            let ends = [End::Completed, End::Failed, End::Cancelled, End::Scheduled];
            Condition::State(ends[index(random, ends.len())])
        },
    },
    Kind {
        name: "createdFrom",
        occurring: |made| Some(Condition::CreatedFrom(made.created_at)),
        even: |random, _, span| Condition::CreatedFrom(span.draw(random)),
    },
    Kind {
        name: "createdTo",
        occurring: |made| Some(Condition::CreatedTo(made.created_at)),
        even: |random, _, span| Condition::CreatedTo(span.draw(random)),
    },
    Kind {
        name: "executedFrom",
        occurring: |made| made.executed_at.map(Condition::ExecutedFrom),
        even: |random, _, span| Condition::ExecutedFrom(span.draw(random)),
    },
    Kind {
        name: "executedTo",
        occurring: |made| made.executed_at.map(Condition::ExecutedTo),
        even: |random, _, span| Condition::ExecutedTo(span.draw(random)),
    },
    Kind {
        name: "createdFrom, createdTo",
        occurring: |made| {
            let from = made.created_at;
            Some(Condition::CreatedWithin(from, from + MONTH_MS))
        },
        even: |random, _, span| {
            let (from, to) = span.draw_two(random);
            Condition::CreatedWithin(from, to)
        },
    },
    Kind {
        name: "executedFrom, executedTo",
        occurring: |made| {
            let from = made.executed_at?;
            Some(Condition::ExecutedWithin(from, from + MONTH_MS))
        },
        even: |random, _, span| {
            let (from, to) = span.draw_two(random);
            Condition::ExecutedWithin(from, to)
        },
    },
    Kind {
        name: "tag",
        occurring: |made| made.tag.map(Condition::Tag),
        // The last one is a tag that no transfer has.
        even: |random, _, _| Condition::Tag(random.below(TAGS + 2)),
    },
];

fn index(random: &mut Random, count: usize) -> usize {
    random.below(count as u64) as usize
}

/// The list without a filter, then with each one.
pub fn all(world: &World, made: &[Made]) -> Vec<Filter> {
    let mut random = Random::new(made.len() as u64);
    let times = made.iter().map(|made| made.created_at);
    let span = Span {
        from: times.clone().min().unwrap_or_default(),
        to: times.max().unwrap_or_default(),
    };
    let unfiltered = Filter {
        name: NONE,
        wanted: vec![wanted(String::new(), made, |_| true)],
    };
    let filters = KINDS.iter().map(|kind| {
        let mut conditions = Vec::new();
        for _ in 0..VALUES / 2 {
            let drawn = &made[index(&mut random, made.len())];
            conditions.extend((kind.occurring)(drawn));
        }
        conditions.resize_with(VALUES, || (kind.even)(&mut random, world, &span));
        let wanted = conditions
            .into_iter()
            .map(|condition| wanted(condition.query(world), made, |made| condition.matches(made)));
        Filter {
            name: kind.name,
            wanted: wanted.collect(),
        }
    });
    std::iter::once(unfiltered).chain(filters).collect()
}

fn wanted(query: String, made: &[Made], matches: impl Fn(&Made) -> bool) -> Wanted {
    let found = made.iter().filter(|made| matches(made));
    let newest = found.clone().max_by_key(|made| (made.created_at, made.id));
    Wanted {
        query,
        count: found.count() as u64,
        first: newest.map(|made| made.id),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(id: u64, at: i64) -> Made {
        Made {
            id,
            profile: 0,
            source: 0,
            tag: None,
            end: End::Completed,
            created_at: at,
            executed_at: Some(at),
        }
    }

    #[test]
    fn counts_and_newest_are_those_of_the_matching_transfers() {
        let history = [
            made(1, 10),
            Made {
                profile: 1,
                source: 1,
                tag: Some(3),
                ..made(2, 20)
            },
            Made {
                end: End::Scheduled,
                executed_at: None,
                ..made(4, 20)
            },
            Made {
                end: End::Failed,
                executed_at: Some(25),
                ..made(3, 20)
            },
        ];
        for (condition, count, first) in [
            (Condition::Profile(0), 3, Some(4)),
            (Condition::Source(1), 1, Some(2)),
            (Condition::State(End::Failed), 1, Some(3)),
            (Condition::State(End::Cancelled), 0, None),
            (Condition::CreatedFrom(20), 3, Some(4)),
            (Condition::CreatedTo(19), 1, Some(1)),
            (Condition::ExecutedFrom(20), 2, Some(3)),
            (Condition::ExecutedTo(20), 2, Some(2)),
            (Condition::CreatedWithin(11, 20), 3, Some(4)),
            (Condition::ExecutedWithin(10, 24), 2, Some(2)),
            (Condition::Tag(3), 1, Some(2)),
            (Condition::Tag(0), 0, None),
        ] {
            let found = wanted(String::new(), &history, |made| condition.matches(made));
            assert_eq!((found.count, found.first), (count, first), "{condition:?}");
        }
    }

    #[test]
    fn every_filter_is_asked_for_with_many_values() {
        let world = World::imagined(3);
        let history: Vec<Made> = (1..200)
            .map(|id| Made {
                tag: Some(id % 5),
                ..made(id, i64::try_from(id).expect("small"))
            })
            .collect();
        let filters = all(&world, &history);
        assert_eq!(filters.len(), 1 + KINDS.len());
        assert_eq!(filters[0].wanted[0].count, 199);
        for filter in &filters[1..] {
            assert_eq!(filter.wanted.len(), VALUES);
            for wanted in &filter.wanted {
                let given = wanted.query.split('&');
                let given: Vec<&str> = given
                    .filter_map(|one| Some(one.split_once('=')?.0))
                    .collect();
                let expected = match filter.name {
                    "instrumentId" => "id, type",
                    name => name,
                };
                assert_eq!(given.join(", "), expected);
            }
            let most = filter.wanted.iter().map(|wanted| wanted.count).max();
            assert!(most > Some(0), "{}", filter.name);
        }
    }
}
