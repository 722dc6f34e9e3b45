//! The statements that load rules, their counters and their runs.

use std::collections::BTreeSet;

use ledger::{AccountId, ExecutionId, OwnerId, RuleId};

use super::ask::{Asked, Part, raws, signed};
use crate::postgres::plan::Wants;
use crate::postgres::rows;
use crate::postgres::session::Call;
use crate::postgres::sql::sql;

const RULES: &str = sql!(
    "SELECT ",
    rows::RULE,
    " FROM unnest($1::bigint[], $2::bigint[]) AS w (owner, id) \
     JOIN rules u ON u.owner = w.owner AND u.id = w.id WHERE u.deleted_ms IS NULL"
);
const ALL_RULES: &str = sql!(
    "SELECT ",
    rows::RULE,
    " FROM rules u WHERE u.owner = ANY ($1) AND u.deleted_ms IS NULL"
);
/// Rules that are on and wait for money on these accounts.
const LISTENERS: &str = sql!(
    "SELECT ",
    rows::RULE,
    " FROM unnest($1::bigint[], $2::bigint[]) AS w (owner, id) \
     JOIN rules u ON u.owner = w.owner AND u.listening = w.id"
);
const CAPS: &str = sql!(
    "SELECT ",
    rows::CAP,
    " FROM unnest($1::bigint[], $2::bigint[]) AS w (owner, id) \
     JOIN rule_caps c ON c.owner = w.owner AND c.rule = w.id"
);
const EXECUTIONS: &str = sql!(
    "SELECT ",
    rows::EXECUTION,
    " FROM unnest($1::bigint[], $2::bigint[]) AS w (owner, id) \
     JOIN executions y ON y.owner = w.owner AND y.id = w.id WHERE y.status = 1"
);
/// Runs of these rules that somebody asked for and that have not been made: each of them waits for
/// its turn.
const ASKED: &str = sql!(
    "SELECT ",
    rows::EXECUTION,
    " FROM unnest($1::bigint[], $2::bigint[]) AS w (owner, id) \
     JOIN due d ON d.owner = w.owner AND d.kind = 5 \
     JOIN executions y ON y.owner = d.owner AND y.id = d.object \
     WHERE y.rule = w.id AND y.cause = 1 AND y.mode = 1 AND y.status = 1"
);
/// Transfers to these accounts over a rail that have not ended: each of them waits for something.
const ARRIVING: &str = sql!(
    "SELECT ",
    rows::TRANSFER,
    " FROM due d JOIN transfers t ON t.owner = d.owner AND t.id = d.object \
     WHERE d.owner = ANY ($1) AND d.kind = 1 \
     AND (t.rail IS NOT NULL OR t.rule IS NOT NULL) \
     AND t.destination = ANY ($2)"
);

impl Asked {
    pub(super) fn ask_rules(&mut self, wants: &Wants) {
        let account = AccountId::raw;
        let rule = RuleId::raw;
        self.by_owner(Part::Rules, RULES, &wants.rules, rule);
        self.by_owner(Part::Rules, LISTENERS, &wants.listeners, account);
        self.by_owner(Part::Caps, CAPS, &wants.caps, rule);
        self.by_owner(Part::Executions, ASKED, &wants.asked, rule);
        let execution = ExecutionId::raw;
        self.by_owner(Part::Executions, EXECUTIONS, &wants.executions, execution);
        if !wants.all_rules.is_empty() {
            let owners = wants.all_rules.iter().map(|id| signed(id.raw()));
            let owners: Vec<i64> = owners.collect();
            self.push(Part::Rules, Call::new(ALL_RULES).with(owners));
        }
        if !wants.arriving.is_empty() {
            let owners: BTreeSet<OwnerId> =
                wants.arriving.iter().map(|(owner, _)| *owner).collect();
            let owners: Vec<i64> = owners.iter().map(|id| signed(id.raw())).collect();
            let (_, accounts) = raws(&wants.arriving, OwnerId::raw, account);
            let call = Call::new(ARRIVING).with(owners).with(accounts);
            self.push(Part::Transfers, call);
        }
    }
}
