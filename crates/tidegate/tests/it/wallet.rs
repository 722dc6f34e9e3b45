//! Cards beside the accounts of a world: its tenant is a programme too, with a corporate that has an
//! account in US dollars, cards of it, and one in euros that the Sequence dialect does not show.

use serde_json::{Value, json};

use crate::harness::{World, id};
use crate::multi_client::{MultiClient, PASSWORD};
use crate::multi_world::{Instrument, card, open_account, profiles, spelled};

pub struct Wallet {
    key: String,
    token: String,
    /// In US dollars, with 1,000.00.
    pub account: Instrument,
    /// Two debit cards of it.
    pub debit: Instrument,
    pub other: Instrument,
    /// A prepaid card in US dollars, empty.
    pub prepaid: Instrument,
    /// A debit card of an account in euros.
    pub euros: Instrument,
}

impl Wallet {
    pub async fn of(world: &World) -> Wallet {
        let (server, tenant) = (&world.server, &world.tenant);
        let scopes = json!([{"scope": "PROGRAMME"}, {"scope": "SIMULATOR"}]);
        let key = server.key(tenant, &scopes).await;
        let profiles = profiles(server, tenant).await;
        let programme = MultiClient::new(server, &key);
        let email = "wallet@example.com";
        programme.corporate(&profiles.corporate, email).await;
        let user = programme.login(email, PASSWORD).await;
        let account = open_account(&user, &profiles.account, "USD").await;
        let euro_account = open_account(&user, &profiles.account, "EUR").await;
        let make = async |mut body: Value, more: Value| {
            for (name, value) in more.as_object().expect("an object") {
                body[name] = value.clone();
            }
            let made = user.post("/managed_cards", &body).await.expect(200);
            Instrument::card(id(&made))
        };
        let debit = async |parent: &Instrument| {
            let more = json!({"mode": "DEBIT_MODE", "parentManagedAccountId": parent.id});
            make(card(&profiles.debit), more).await
        };
        let (first, other) = (debit(&account).await, debit(&account).await);
        let euros = debit(&euro_account).await;
        let more = json!({"mode": "PREPAID_MODE", "currency": "USD"});
        let prepaid = make(card(&profiles.prepaid), more).await;
        world.paycheck(&account.acc(), 100_000).await;
        Wallet {
            token: user.token().to_owned(),
            key,
            account,
            debit: first,
            other,
            prepaid,
            euros,
        }
    }

    /// The corporate's user in Multi.
    pub fn user<'a>(&self, world: &'a World) -> MultiClient<'a> {
        MultiClient::new(&world.server, &self.key).with_token(&self.token)
    }

    /// `purchase` or `merchant_refund` at a merchant.
    pub async fn at_merchant(&self, world: &World, card: &Instrument, what: &str, cents: i64) {
        let body = json!({"merchantName": "Café", "transactionAmount":
                          {"currency": "USD", "amount": cents}});
        let path = format!("/cards/{}/{what}", card.id);
        let simulator = self.user(world).simulator();
        let answer = simulator.post(&path, &body).await.expect(200);
        assert_eq!(answer["code"], "APPROVED");
    }
}

/// A card as the Sequence dialect spells it.
pub fn card_id(card: &Instrument) -> String {
    spelled("card_", &card.id)
}
