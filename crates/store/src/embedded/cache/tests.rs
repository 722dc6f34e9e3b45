use ledger::{AccountId, Amount, Currency, Direction, Millis, Origin, OwnerId, Status, Transfer};

use super::*;

const TENANT: TenantId = TenantId::new(1);

fn transfer(id: u64, status: Status) -> Transfer {
    Transfer {
        id: TransferId::new(id),
        tenant: TENANT,
        owner: OwnerId::new(2),
        source: Some(AccountId::new(3)),
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
    }
}

fn is_kept(cache: &EndedTransfers, id: u64) -> bool {
    cache.get(TENANT, TransferId::new(id)).is_some()
}

#[test]
fn what_has_ended_is_kept_for_its_tenant() {
    let cache = EndedTransfers::new();
    for (id, status) in (10..).zip(Status::ALL) {
        cache.put(&transfer(id, status));
        let kept = cache.get(TENANT, TransferId::new(id));
        let expected = status.is_final().then(|| transfer(id, status));
        assert_eq!(kept, expected, "{status:?}");
        assert_eq!(cache.get(TenantId::new(9), TransferId::new(id)), None);
    }
    assert!(!is_kept(&cache, 77));
}

/// A place's bytes as they are, and how many transfers they are.
fn fill_of(place: &Mutex<Place>) -> (usize, usize) {
    let place = place.lock().expect("nobody panicked");
    assert_eq!(place.ids.len(), place.transfers.len());
    let own: usize = place.transfers.iter().map(|one| one.len()).sum();
    assert_eq!(place.bytes, own + place.transfers.len() * OVERHEAD);
    (place.bytes, place.transfers.len())
}

#[test]
fn no_more_is_kept_than_there_is_room_for() {
    let cache = EndedTransfers::new();
    let one = codec::transfer_to_bytes(&transfer(1 << 50, Status::Complete)).len() + OVERHEAD;
    assert!(one < 128, "{one} bytes a transfer");
    let room = (PLACE_BYTES / one * PLACES) as u64;
    for id in 0..2 * room {
        cache.put(&transfer(id << 10, Status::Complete));
    }
    let fills: Vec<(usize, usize)> = cache.places.iter().map(fill_of).collect();
    assert!(fills.iter().all(|(bytes, _)| *bytes <= PLACE_BYTES));
    // Ids in even steps are spread evenly: nearly every place is full.
    let full = fills.iter().filter(|(bytes, _)| bytes + one > PLACE_BYTES);
    let full = full.count();
    assert!(full > PLACES * 9 / 10, "{full} places are full");
    let newest = (room..2 * room).filter(|id| is_kept(&cache, id << 10));
    assert!(newest.count() as u64 > room * 8 / 10);
}

#[test]
fn a_transfer_too_long_for_a_place_is_not_kept() {
    let cache = EndedTransfers::new();
    let long = Transfer {
        description: Some("n".repeat(PLACE_BYTES).into()),
        ..transfer(10, Status::Complete)
    };
    cache.put(&long);
    assert!(!is_kept(&cache, 10));
    cache.put(&transfer(10, Status::Complete));
    assert!(is_kept(&cache, 10));
}

#[test]
fn what_is_offered_displaces_nothing() {
    let cache = EndedTransfers::new();
    let count = (PLACE_BYTES / OVERHEAD * PLACES) as u64;
    let newest = 1_000..2_000;
    for id in newest.clone() {
        cache.put(&transfer(id, Status::Complete));
    }
    let refused = (2_000..count).filter(|id| !cache.offer(&transfer(*id, Status::Complete)));
    assert!(refused.count() > 0, "all places are full");
    assert!(newest.clone().all(|id| is_kept(&cache, id)));
    // What is kept already needs no room, and what has not ended is not kept.
    assert!(cache.offer(&transfer(1_000, Status::Complete)));
    assert!(cache.offer(&transfer(1, Status::Processing)));
    assert!(!is_kept(&cache, 1));
}
