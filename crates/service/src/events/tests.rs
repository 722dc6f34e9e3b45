use ledger::{AccountId, Amount, Command, CreateTransfer, Currency, Status};
use store::{Place, Submit};

use super::*;
use crate::multi::bed::Bed;

fn query(tenant: TenantId, after: Place, limit: usize) -> EventQuery {
    EventQuery {
        tenant,
        after,
        limit,
        filter: Arc::default(),
    }
}

async fn read(bed: &Bed, tenant: TenantId, after: Place, limit: usize) -> EventPage {
    let query = query(tenant, after, limit);
    bed.service.events(&query).await.expect("readable")
}

#[tokio::test]
async fn every_page_size_gives_the_same_events() {
    let bed = Bed::new().await;
    let tenant = bed.programme.tenant;
    let whole = read(&bed, tenant, Place::START, EVENTS_MAX).await;
    assert!(!whole.more);
    assert!(whole.events.len() > 3, "{whole:?}");
    assert!(whole.events.is_sorted_by(|one, next| one.id < next.id));
    let all: Vec<(Place, &str)> = whole.events.iter().map(|e| (e.id, e.name)).collect();
    assert_eq!(all[0].1, "tenant.created");
    for limit in 1..4 {
        let (mut after, mut found) = (Place::START, Vec::new());
        loop {
            let page = read(&bed, tenant, after, limit).await;
            assert!(page.events.len() <= limit);
            found.extend(page.events.iter().map(|e| (e.id, e.name)));
            after = page.through;
            if !page.more {
                break;
            }
        }
        assert_eq!(found, all, "by {limit}");
    }
    let newest = bed.service.newest_event(tenant).await.expect("readable");
    let none = read(&bed, tenant, newest, 10).await;
    assert!(none.events.is_empty());
    for (id, name) in all {
        let event = bed.service.event(tenant, id).await.expect("found");
        assert_eq!(event.name, name);
    }
    let reopened = bed.reopen().await;
    let again = read(&reopened, tenant, Place::START, EVENTS_MAX).await;
    assert_eq!(again.events.len(), whole.events.len());
}

#[tokio::test]
async fn nobody_sees_the_events_of_another_tenant() {
    let bed = Bed::new().await;
    let other = bed
        .service
        .create_tenant("Other", ledger::TenantMode::Sandbox);
    let other = other.await.expect("made").id;
    let page = read(&bed, other, Place::START, EVENTS_MAX).await;
    let names: Vec<&str> = page.events.iter().map(|e| e.name).collect();
    assert_eq!(names, ["tenant.created"]);
    let nobody = read(&bed, TenantId::new(1), Place::START, 10).await;
    assert!(nobody.events.is_empty());
}

#[tokio::test]
async fn an_event_shows_a_transfer_as_it_was() {
    let bed = Bed::new().await;
    let tenant = bed.programme.tenant;
    let owner = bed
        .service
        .create_owner(tenant, ledger::OwnerKind::Beneficiary, "John");
    let owner = owner.await.expect("made").id;
    let open = |kind| ledger::OpenAccount {
        tenant,
        owner,
        kind,
        name: Arc::from("An account"),
        description: None,
        institution: None,
        number_last_four: None,
        routing_last_four: None,
        currency: Currency::USD,
        can_be_source: None,
        can_be_destination: None,
        reported: ledger::account::Reported::default(),
    };
    let mut accounts: Vec<AccountId> = Vec::new();
    for _ in 0..2 {
        let row = bed
            .service
            .open_account(open(ledger::AccountKind::Pod))
            .await;
        accounts.push(row.expect("opened").id);
    }
    let transfer = Command::CreateTransfer(CreateTransfer {
        tenant,
        key: None,
        source: accounts[0],
        destination: accounts[1],
        amount: Amount::new(500, Currency::USD).expect("positive"),
        rail_delay_ms: 0,
        description: None,
        needs_approval: false,
        fails_with: None,
    });
    let before = bed.service.newest_event(tenant).await.expect("readable");
    let made = bed.service.store().submit(Submit::command(transfer)).await;
    made.expect("the store runs");
    bed.service.quiesce(tenant).await.expect("the store runs");
    let page = read(&bed, tenant, before, 10).await;
    let events = page.events;
    let told: Vec<(&str, Status)> = events
        .iter()
        .map(|event| match &event.object {
            Object::Transfer(row) => (event.name, row.transfer.status),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(
        told,
        [
            ("transfer.created", Status::Processing),
            ("transfer.status_changed", Status::Incomplete)
        ]
    );
    let lanes: Vec<u64> = accounts.iter().map(|account| account.raw()).collect();
    assert_eq!(events[0].lanes(), lanes);
    let filter = EventFilter {
        accounts: vec![accounts[1]],
        ..EventFilter::default()
    };
    assert!(filter.wants(&events[0]));
    let filter = EventFilter {
        accounts: vec![AccountId::new(1)],
        ..EventFilter::default()
    };
    assert!(!filter.wants(&events[0]));
}
