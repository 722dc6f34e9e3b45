//! Choosing what a command is about: mostly something it could be done to, sometimes not.

use ledger::{
    AccountId, AccountKind, AccountState, Amount, BulkId, Currency, HoldId, InstrumentClass,
    OwnerId, Status, TenantId, TenantMode, TransferId,
};
use proptest::sample::Index;

use crate::pair::{NOTHING, Pair};
use crate::steps::Voice;

/// One of `good` four times out of five, else one of `bad`.
pub fn mostly<T: Copy>(index: &Index, good: &[T], bad: &[T]) -> T {
    let times = match good.len() {
        0 => 0,
        length => bad.len().saturating_mul(4).div_ceil(length).max(1),
    };
    let good = std::iter::repeat_n(good, times).flatten();
    let all: Vec<T> = good.chain(bad).copied().collect();
    *index.get(&all)
}

impl Pair {
    pub fn is_sandbox(&self, tenant: TenantId) -> bool {
        let tenant = self.state.tenant(tenant);
        tenant.is_some_and(|tenant| tenant.mode == TenantMode::Sandbox)
    }

    pub fn pick_tenant(&self, index: &Index) -> TenantId {
        let (good, bad): (Vec<_>, Vec<_>) =
            self.tenants.iter().partition(|id| self.is_sandbox(**id));
        mostly(index, &good, &bad)
    }

    /// An account with its tenant: mostly one with play money that is in use.
    pub fn pick_account(&self, index: &Index) -> (AccountId, TenantId) {
        let usable = |(id, tenant): &(AccountId, TenantId)| {
            let account = self.state.account(*id);
            self.is_sandbox(*tenant)
                && account.is_some_and(|account| {
                    let system = matches!(account.kind, AccountKind::System(_));
                    !system && account.state == AccountState::Active
                })
        };
        let (good, bad): (Vec<_>, Vec<_>) = self.accounts.iter().copied().partition(usable);
        mostly(index, &good, &bad)
    }

    /// A card with its tenant, in use or not.
    pub fn pick_card(&self, index: &Index) -> (AccountId, TenantId) {
        let is_card = |(id, tenant): &(AccountId, TenantId)| {
            let account = self.state.account(*id);
            let class = account.and_then(|account| account.kind.instrument());
            class == Some(InstrumentClass::Card) && self.is_sandbox(*tenant)
        };
        let (good, bad): (Vec<_>, Vec<_>) = self.accounts.iter().copied().partition(is_card);
        mostly(index, &good, &bad)
    }

    /// An account with its tenant: mostly one that can be brought into this state.
    pub fn pick_for_state(&self, index: &Index, to: AccountState) -> (AccountId, TenantId) {
        let can = |(id, _): &(AccountId, TenantId)| {
            let account = self.state.account(*id);
            account.is_some_and(|account| match to {
                AccountState::Active => account.state == AccountState::Blocked,
                AccountState::Blocked => account.state == AccountState::Active,
                AccountState::Destroyed => {
                    // Cards and what they spend from: the others have less to go wrong.
                    let linked = self.state.has_linked_cards(account.id);
                    let empty = account.balance == 0 && (linked || account.parent.is_some());
                    account.state != AccountState::Destroyed && empty
                }
            })
        };
        let (good, bad): (Vec<_>, Vec<_>) = self.accounts.iter().copied().partition(can);
        mostly(index, &good, &bad)
    }

    /// Another account, mostly of the same owner.
    pub fn pick_partner(&self, index: &Index, of: AccountId) -> AccountId {
        let owner = |id: AccountId| {
            let account = self.state.account(id);
            let account = account.filter(|a| !matches!(a.kind, AccountKind::System(_)));
            account.map(|account| account.owner)
        };
        let (good, bad): (Vec<_>, Vec<_>) = self
            .accounts
            .iter()
            .map(|(id, _)| *id)
            .partition(|id| *id != of && owner(*id) == owner(of));
        mostly(index, &good, &bad)
    }

    /// So much in the currency of an account, or in another.
    pub fn money(&self, minor: i64, of: AccountId, other: bool) -> Amount {
        let own = self.state.account(of).map(|account| account.currency);
        let currency = match (own, other) {
            (Some(Currency::USD), true) => Currency::EUR,
            (_, true) | (None, false) => Currency::USD,
            (Some(own), false) => own,
        };
        Amount::new(minor, currency).expect("steps have positive amounts")
    }

    pub fn pick_hold(&self, index: &Index) -> (HoldId, TenantId) {
        let lasts = |(id, _): &(HoldId, TenantId)| self.state.hold(*id).is_some();
        let (good, bad): (Vec<_>, Vec<_>) = self.holds.iter().copied().partition(lasts);
        mostly(index, &good, &bad)
    }

    /// A transfer with its owner and tenant: mostly one with this status; or one that is open
    /// with another, one that has ended, one that never was.
    pub fn pick_transfer(&self, index: &Index, wanted: Status) -> (TransferId, OwnerId, TenantId) {
        let (good, rest): (Vec<_>, Vec<_>) =
            self.transfers.values().partition(|t| t.status == wanted);
        let open = rest.iter().find(|t| !t.status.is_final());
        let ended = rest.iter().find(|t| t.status.is_final());
        let (nobody, nowhere) = self.owners[0];
        let named = |t: &&ledger::Transfer| (t.id, t.owner, t.tenant);
        let good: Vec<_> = good.iter().map(named).collect();
        let mut bad: Vec<_> = open.into_iter().chain(ended).map(named).collect();
        bad.push((TransferId::new(NOTHING), nobody, nowhere));
        mostly(index, &good, &bad)
    }

    /// A bulk with its owner and tenant: mostly one that has not ended.
    pub fn pick_bulk(&self, index: &Index) -> (BulkId, OwnerId, TenantId) {
        let all = self.bulks.values().map(|(bulk, _)| bulk);
        let (good, ended): (Vec<_>, Vec<_>) = all.partition(|bulk| !bulk.status.is_final());
        let (nobody, nowhere) = self.owners[0];
        let named = |b: &&ledger::Bulk| (b.id, b.owner, b.tenant);
        let good: Vec<_> = good.iter().map(named).collect();
        let mut bad: Vec<_> = ended.first().map(named).into_iter().collect();
        bad.push((BulkId::new(NOTHING), nobody, nowhere));
        mostly(index, &good, &bad)
    }

    /// Another owner of the same tenant; the same one when there is no other.
    pub fn neighbour(&self, own: OwnerId) -> OwnerId {
        let tenant = self.state.owner(own).map(|owner| owner.tenant);
        let mut others = self.owners.iter();
        let other = others.find(|(id, of)| Some(*of) == tenant && *id != own);
        other.map_or(own, |(id, _)| *id)
    }

    /// Whom a command about an account speaks for.
    pub fn voice(&self, voice: Voice, account: AccountId) -> Option<OwnerId> {
        let own = self.state.account(account).map(|account| account.owner);
        match voice {
            Voice::Operator => None,
            Voice::Owner => own,
            Voice::Other => own.map(|own| self.neighbour(own)),
        }
    }

    /// The identity that asks for something of this owner's.
    pub fn asking(&self, voice: Voice, own: OwnerId) -> OwnerId {
        match voice {
            Voice::Owner | Voice::Operator => own,
            Voice::Other => self.neighbour(own),
        }
    }
}
