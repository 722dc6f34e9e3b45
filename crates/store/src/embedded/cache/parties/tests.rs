use std::sync::Arc;

use ledger::AccountKind;

use super::*;

const TENANT: TenantId = TenantId::new(1);

fn party(id: u64, name: &str) -> Party {
    Party {
        id: AccountId::new(id),
        kind: AccountKind::Pod,
        name: Arc::from(name),
    }
}

fn name(parties: &Parties, id: u64) -> Option<String> {
    let party = parties.get(TENANT, AccountId::new(id))?;
    Some(party.name.to_string())
}

#[test]
fn an_account_is_kept_for_its_tenant() {
    let parties = Parties::new();
    parties.put(parties.generation(), TENANT, &party(3, "Rent"));
    let kept = parties.get(TENANT, AccountId::new(3));
    assert_eq!(kept, Some(party(3, "Rent")));
    assert_eq!(parties.get(TenantId::new(9), AccountId::new(3)), None);
    assert_eq!(name(&parties, 4), None);
}

/// A reader that looked before a rename and comes back after it brings nothing old.
#[test]
fn a_late_reader_keeps_no_old_name() {
    let parties = Parties::new();
    let early = parties.generation();
    parties.forget();
    parties.put(early, TENANT, &party(3, "Old"));
    assert_eq!(name(&parties, 3), None);
    // Nor does it disturb what was read after the rename.
    parties.put(parties.generation(), TENANT, &party(3, "New"));
    parties.put(early, TENANT, &party(3, "Old"));
    assert_eq!(name(&parties, 3).as_deref(), Some("New"));
}

#[test]
fn a_rename_forgets_everything() {
    let parties = Parties::new();
    for id in 0..1_000 {
        parties.put(parties.generation(), TENANT, &party(id, "Old"));
    }
    assert!((0..1_000).all(|id| name(&parties, id).is_some()));
    parties.forget();
    assert!((0..1_000).all(|id| name(&parties, id).is_none()));
    parties.put(parties.generation(), TENANT, &party(5, "New"));
    assert_eq!(name(&parties, 5).as_deref(), Some("New"));
    let others = (0..1_000).filter(|id| *id != 5);
    assert!(others.into_iter().all(|id| name(&parties, id).is_none()));
}

#[test]
fn no_more_is_kept_than_there_is_room_for() {
    let parties = Parties::new();
    let room = (PLACES * PLACE_MAX) as u64;
    for id in 0..2 * room {
        parties.put(parties.generation(), TENANT, &party(id << 10, "Rent"));
    }
    for place in &parties.places {
        let place = place.lock().expect("nobody panicked");
        assert!((1..=PLACE_MAX).contains(&place.parties.len()));
    }
    assert_eq!(
        name(&parties, (2 * room - 1) << 10).as_deref(),
        Some("Rent")
    );
}
