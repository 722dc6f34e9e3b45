use ledger::{
    MoneyIn, NewProfile, OpenInstrument, Origin, OwnerKind, Status, TenantMode,
    profile::{FeePolicy, Terms, TransferTerms},
};

use super::*;

/// A world made without a server, because only the store is of interest.
async fn world(data: &Path, funded: usize) -> World {
    let store = Embedded::open(&Options::new(data)).expect("a folder");
    let store = &store;
    let submit = async |command: Command| match store.submit(Submit::command(command)).await {
        Ok(Outcome::Done(reply)) => reply,
        other => panic!("unexpected: {other:?}"),
    };
    let name: Arc<str> = Arc::from("Benchmark");
    let mode = TenantMode::Sandbox;
    let create = Command::CreateTenant {
        name: Arc::clone(&name),
        mode,
    };
    let Reply::Tenant(tenant) = submit(create).await else {
        panic!("a tenant was asked for")
    };
    let create = Command::CreateOwner {
        tenant: tenant.id,
        kind: OwnerKind::Corporate,
        name: Arc::clone(&name),
    };
    let Reply::Owner(owner) = submit(create).await else {
        panic!("an owner was asked for")
    };
    let managed_accounts = Terms::ManagedAccount {
        max_balances: Vec::new(),
        deposit_fees: Vec::new(),
    };
    let transfers = Terms::Transfer(TransferTerms {
        pairs: Vec::new(),
        fees: Vec::new(),
        fee_policy: FeePolicy::BestEffort,
        max_amounts: Vec::new(),
        deny_above: Vec::new(),
        forex: false,
    });
    let mut profiles = Vec::new();
    for terms in [managed_accounts, transfers.clone(), transfers] {
        let new = NewProfile {
            tenant: tenant.id,
            name: Arc::clone(&name),
            currencies: Vec::new(),
            terms,
        };
        let Reply::Profile(profile) = submit(Command::CreateProfile(new)).await else {
            panic!("a profile was asked for")
        };
        profiles.push(profile.id);
    }
    let mut accounts = Vec::new();
    for index in 0..=funded {
        let open = OpenInstrument {
            tenant: tenant.id,
            owner: owner.id,
            profile: profiles[0],
            class: InstrumentClass::Account,
            name: Arc::clone(&name),
            currency: Some(Currency::EUR),
            parent: None,
            tag: None,
            details: None,
        };
        let Reply::Account(account) = submit(Command::OpenInstrument(open)).await else {
            panic!("an account was asked for")
        };
        if index < funded {
            let amount = ledger::Amount::new(1_000_000_000, Currency::EUR).expect("positive");
            let deposit = MoneyIn {
                tenant: tenant.id,
                destination: account.id,
                amount,
                origin: Origin::Deposit,
                description: None,
            };
            submit(Command::MoneyIn(deposit)).await;
        }
        accounts.push(account.id.to_string());
    }
    store.shut_down().await.expect("closed in order");
    let tenant: String = service::spelling::id_text(tenant.id.raw())
        .map(char::from)
        .iter()
        .collect();
    World {
        tenant: format!("ten_{tenant}"),
        key: String::new(),
        identity: owner.id.to_string(),
        email: String::new(),
        profiles: profiles[1..].iter().map(ProfileId::to_string).collect(),
        accounts,
    }
}

#[tokio::test]
async fn transfers_end_as_it_is_said_of_them() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let world = world(&data, 3).await;
    let count = 1_000;
    let made = fill(&data, &world, count).await.expect("a history");
    assert_eq!(made.len() as u64, count);

    let store = Embedded::open(&Options::new(&data)).expect("the folder");
    let tenant = TenantId::new(world.tenant_number().expect("a number"));
    let mut of_end = [0; 4];
    for made in made {
        let found = store.transfer(tenant, TransferId::new(made.id)).await;
        let transfer = found.expect("a read").expect("a transfer").transfer;
        let (index, status) = match made.end {
            End::Completed => (0, Status::Complete),
            End::Failed => (1, Status::Error),
            End::Cancelled => (2, Status::Cancelled),
            End::Scheduled => (3, Status::Scheduled),
        };
        of_end[index] += 1;
        assert_eq!(transfer.status, status, "{made:?}");
        let profile = world.profiles[made.profile].clone();
        assert_eq!(transfer.profile.map(|id| id.to_string()), Some(profile));
        let source = world.accounts[made.source].clone();
        assert_eq!(transfer.source.map(|id| id.to_string()), Some(source));
        assert_eq!(transfer.tag.as_deref(), made.tag.map(tag_text).as_deref());
        assert_eq!(transfer.created_at.0, made.created_at);
        let ended = match status {
            Status::Complete => transfer.completed_at,
            Status::Error => Some(transfer.updated_at),
            _ => None,
        };
        assert_eq!(ended.map(|at| at.0), made.executed_at, "{made:?}");
    }
    assert!(of_end.iter().all(|count| *count > 0), "{of_end:?}");
    store.shut_down().await.expect("closed in order");
}
