use std::sync::Arc;

use ledger::{
    AccountId, AccountKind, Amount, Currency, Direction, Millis, Origin, OwnerId, Party, Status,
    Transfer,
};

use super::*;

const TENANT: TenantId = TenantId::new(1);

fn row(id: u64, status: Status, name: &str) -> TransferRow {
    let party = Party {
        id: AccountId::new(3),
        kind: AccountKind::Pod,
        name: Arc::from(name),
    };
    TransferRow {
        transfer: Transfer {
            id: TransferId::new(id),
            tenant: TENANT,
            owner: OwnerId::new(2),
            source: Some(party.id),
            destination: None,
            amount: Amount::new(5, Currency::EUR).expect("positive"),
            direction: Direction::MoneyOut,
            origin: Origin::User,
            rail: None,
            rail_delay_ms: 0,
            status,
            error: None,
            rule: None,
            key: None,
            description: None,
            profile: None,
            tag: None,
            scheduled_at: None,
            fee_minor: 0,
            cancel_reason: None,
            card: None,
            created_at: Millis(1),
            updated_at: Millis(2),
            completed_at: None,
        },
        source: Some(party),
        destination: None,
    }
}

fn name(cache: &EndedTransfers, id: u64) -> Option<String> {
    let row = cache.get(TENANT, TransferId::new(id))?;
    row.source.map(|party| party.name.to_string())
}

#[test]
fn what_has_ended_is_kept_for_its_tenant() {
    let cache = EndedTransfers::new();
    for (id, status) in (10..).zip(Status::ALL) {
        cache.put(cache.generation(), &row(id, status, "Rent"));
        let kept = cache.get(TENANT, TransferId::new(id));
        let expected = status.is_final().then(|| row(id, status, "Rent"));
        assert_eq!(kept, expected, "{status:?}");
        assert_eq!(cache.get(TenantId::new(9), TransferId::new(id)), None);
    }
    assert_eq!(name(&cache, 77), None);
}

/// A reader that looked before a rename and comes back after it brings nothing old.
#[test]
fn a_late_reader_keeps_no_old_name() {
    let cache = EndedTransfers::new();
    let early = cache.generation();
    let read = row(10, Status::Complete, "Old");
    cache.forget();
    cache.put(early, &read);
    assert_eq!(name(&cache, 10), None);
    // Nor does it disturb what was read after the rename.
    cache.put(cache.generation(), &row(10, Status::Complete, "New"));
    cache.put(early, &read);
    assert_eq!(name(&cache, 10).as_deref(), Some("New"));
}

#[test]
fn a_rename_forgets_everything() {
    let cache = EndedTransfers::new();
    for id in 0..1_000 {
        cache.put(cache.generation(), &row(id, Status::Error, "Old"));
    }
    assert!((0..1_000).all(|id| name(&cache, id).is_some()));
    cache.forget();
    assert!((0..1_000).all(|id| name(&cache, id).is_none()));
    cache.put(cache.generation(), &row(5, Status::Error, "New"));
    assert_eq!(name(&cache, 5).as_deref(), Some("New"));
    assert!(
        (0..1_000)
            .filter(|id| *id != 5)
            .all(|id| name(&cache, id).is_none())
    );
}

/// A place's bytes as they are, and how many rows they are.
fn fill_of(place: &Mutex<Place>) -> (usize, usize) {
    let place = place.lock().expect("nobody panicked");
    assert_eq!(place.ids.len(), place.rows.len());
    let own: usize = place.rows.iter().map(|row| row.len()).sum();
    assert_eq!(place.bytes, own + place.rows.len() * ROW_OVERHEAD);
    (place.bytes, place.rows.len())
}

#[test]
fn no_more_is_kept_than_there_is_room_for() {
    let cache = EndedTransfers::new();
    let generation = cache.generation();
    let one = codec::row_to_bytes(&row(1 << 50, Status::Complete, "Rent")).len() + ROW_OVERHEAD;
    assert!(one < 128, "{one} bytes a row");
    let room = (PLACE_BYTES / one * PLACES) as u64;
    for id in 0..2 * room {
        cache.put(generation, &row(id << 10, Status::Complete, "Rent"));
    }
    let fills: Vec<(usize, usize)> = cache.places.iter().map(fill_of).collect();
    assert!(fills.iter().all(|(bytes, _)| *bytes <= PLACE_BYTES));
    // Ids in even steps are spread evenly: nearly every place is full.
    let full = fills.iter().filter(|(bytes, _)| bytes + one > PLACE_BYTES);
    let full = full.count();
    assert!(full > PLACES * 9 / 10, "{full} places are full");
    let newest = (room..2 * room).filter(|id| name(&cache, id << 10).is_some());
    assert!(newest.count() as u64 > room * 8 / 10);
}

#[test]
fn a_row_too_long_for_a_place_is_not_kept() {
    let cache = EndedTransfers::new();
    let long = "n".repeat(PLACE_BYTES);
    cache.put(cache.generation(), &row(10, Status::Complete, &long));
    assert_eq!(name(&cache, 10), None);
    cache.put(cache.generation(), &row(10, Status::Complete, "Rent"));
    assert_eq!(name(&cache, 10).as_deref(), Some("Rent"));
}
