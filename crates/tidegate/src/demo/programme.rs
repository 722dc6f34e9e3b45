//! The Multi part of the story: a company and a person, told through the Multi API itself.
//!
//! The same six weeks as the Sequence part, on the same clock: money from customers, a reserve, a
//! card that was loaded and used, a refund, payments that are still to come and one called off.

use std::collections::BTreeMap;

use anyhow::{Context, bail};
use api::PublicRoutes;
use axum::body::Body;
use axum::http::{Method, Request};
use hyper::body::Bytes;
use ledger::profile::{CardMode, Fee, FeePolicy, Pair, Rate, Terms, TransferFee, TransferTerms};
use ledger::{Currency, InstrumentClass, Millis, NewProfile, TenantId};
use serde_json::{Map, Value, json};
use service::Service;
use store::Permission;
use tower::ServiceExt;

use super::DAY;
use crate::secrets;

/// Bytes of an answer of this server to itself.
const ANSWER_MAX: usize = 1 << 20;
/// The code that verifies e-mail addresses in sandboxes.
const SANDBOX_CODE: &str = "123456";

/// A company or a person with what they have.
struct Identity {
    kind: &'static str,
    id: String,
    email: &'static str,
    password: String,
    token: String,
    accounts: BTreeMap<&'static str, String>,
    cards: BTreeMap<&'static str, String>,
}

/// The programme as far as it has been told.
pub(super) struct Programme {
    routes: PublicRoutes,
    api_key: String,
    programme_key: String,
    profiles: BTreeMap<&'static str, String>,
    company: Option<Identity>,
    person: Option<Identity>,
}

impl Programme {
    /// Keys and profiles.
    pub(super) async fn new(
        service: &Service,
        routes: PublicRoutes,
        tenant: TenantId,
    ) -> anyhow::Result<Programme> {
        let (api_key, programme_key) = (secrets::new_key()?, secrets::new_key()?);
        let multi = vec![Permission::Programme];
        service
            .create_key(tenant, "demo: Multi", multi, &api_key)
            .await?;
        let simulator = vec![Permission::Simulator];
        service
            .create_key(tenant, "demo: simulator", simulator, &programme_key)
            .await?;
        let mut profiles = BTreeMap::new();
        for (key, name, terms) in profiles_of_the_demo()? {
            let new = NewProfile {
                tenant,
                name: name.into(),
                currencies: vec![Currency::EUR, Currency::GBP, Currency::USD],
                terms,
            };
            let profile = service.create_profile(new).await?;
            profiles.insert(key, profile.id.to_string());
        }
        Ok(Programme {
            routes,
            api_key: api_key.reveal().to_owned(),
            programme_key: programme_key.reveal().to_owned(),
            profiles,
            company: None,
            person: None,
        })
    }

    /// Both identities with their accounts and cards.
    pub(super) async fn open(&mut self) -> anyhow::Result<()> {
        let company = self.company().await?;
        self.company = Some(self.equip(company).await?);
        let person = self.person().await?;
        self.person = Some(self.equip(person).await?);
        Ok(())
    }

    /// One day of the story; `now` is the tenant's time.
    pub(super) async fn day(&self, day: i64, now: Millis) -> anyhow::Result<()> {
        let (Some(company), Some(person)) = (&self.company, &self.person) else {
            bail!("the programme has not been opened");
        };
        let later = |days: i64| Some(now.plus(days * DAY));
        match day {
            1 => {
                self.deposit(company, "EUR main", "EUR", 4_250_000, "Nordwind GmbH")
                    .await?;
                self.deposit(company, "USD main", "USD", 1_800_000, "Lakeside Inc")
                    .await?;
                self.deposit(person, "EUR main", "EUR", 320_000, "Salary")
                    .await?;
                self.move_money(company, "EUR main", "EUR reserve", "EUR", 1_200_000, None)
                    .await?;
                self.move_money(company, "USD main", "USD reserve", "USD", 450_000, None)
                    .await?;
            }
            15 => {
                self.move_money(company, "EUR main", "EUR prepaid", "EUR", 150_000, None)
                    .await?;
                self.purchase(company, "EUR prepaid", "EUR", 38_490, "Rail Europe")
                    .await?;
                self.purchase(company, "EUR debit", "EUR", 12_900, "Office Depot")
                    .await?;
                self.move_money(person, "EUR main", "EUR prepaid", "EUR", 40_000, None)
                    .await?;
            }
            29 => {
                self.deposit(company, "EUR main", "EUR", 3_980_000, "Nordwind GmbH")
                    .await?;
                self.deposit(person, "EUR main", "EUR", 320_000, "Salary")
                    .await?;
                self.refund(company, "EUR prepaid", "EUR", 8_490, "Rail Europe")
                    .await?;
                self.move_money(company, "EUR main", "EUR reserve", "EUR", 250_000, later(7))
                    .await?;
                self.move_money(person, "EUR main", "EUR reserve", "EUR", 60_000, None)
                    .await?;
            }
            40 => {
                self.move_money(
                    company,
                    "EUR main",
                    "EUR reserve",
                    "EUR",
                    250_000,
                    later(30),
                )
                .await?;
                let off = self
                    .move_money(company, "USD main", "USD reserve", "USD", 90_000, later(10))
                    .await?;
                self.call_off(company, &off).await?;
            }
            _ => {}
        }
        Ok(())
    }

    /// The company's accounts in dollars.
    pub(super) fn dollars(&self) -> impl Iterator<Item = (&'static str, u64)> {
        let accounts = self.company.iter().flat_map(|company| &company.accounts);
        accounts
            .filter(|(name, _)| name.starts_with("USD"))
            .filter_map(|(name, id)| Some((*name, id.parse().ok()?)))
    }

    /// What `demo.json` says of it.
    pub(super) fn contact(&self) -> Value {
        let identities: Vec<Value> = [&self.company, &self.person]
            .into_iter()
            .flatten()
            .map(|identity| {
                json!({
                    "type": identity.kind,
                    "id": identity.id,
                    "email": identity.email,
                    "password": identity.password,
                    "managed_accounts": identity.accounts,
                    "managed_cards": identity.cards,
                })
            })
            .collect();
        json!({
            "api_key": self.api_key,
            "programme_key": self.programme_key,
            "identities": identities,
            "profiles": self.profiles,
        })
    }

    async fn company(&self) -> anyhow::Result<Identity> {
        let email = "anna.reed@harbour.example";
        let body = json!({
            "profileId": self.profiles["corporate"],
            "tag": "demo",
            "rootUser": {
                "name": "Anna", "surname": "Reed", "email": email,
                "mobile": {"countryCode": "+353", "number": "851234567"},
                "companyPosition": "DIRECTOR",
            },
            "company": {
                "name": "Harbour Supplies Ltd", "type": "LLC",
                "registrationNumber": "IE482913", "registrationCountry": "IE",
                "businessAddress": {
                    "addressLine1": "1 Custom House Quay", "city": "Dublin",
                    "postCode": "D01 V9X5", "country": "IE",
                },
            },
            "ipAddress": "192.0.2.10",
            "baseCurrency": "EUR",
        });
        self.identity("CORPORATE", "corporates", email, &body).await
    }

    async fn person(&self) -> anyhow::Result<Identity> {
        let email = "ben.quay@mail.example";
        let body = json!({
            "profileId": self.profiles["consumer"],
            "tag": "demo",
            "rootUser": {
                "name": "Ben", "surname": "Quay", "email": email,
                "mobile": {"countryCode": "+49", "number": "1512345678"},
                "dateOfBirth": {"year": 1990, "month": 4, "day": 23},
                "address": {
                    "addressLine1": "Am Kai 7", "city": "Hamburg", "postCode": "20457",
                    "country": "DE",
                },
            },
            "ipAddress": "192.0.2.11",
            "baseCurrency": "EUR",
        });
        self.identity("CONSUMER", "consumers", email, &body).await
    }

    /// Made, verified, approved, with a password, logged in.
    async fn identity(
        &self,
        kind: &'static str,
        path: &str,
        email: &'static str,
        body: &Value,
    ) -> anyhow::Result<Identity> {
        let made = self.post(&format!("/multi/{path}"), None, body).await?;
        let id = text(&made, "/id/id")?;
        let user = text(&made, "/rootUser/id/id")?;
        let verification = format!("/multi/{path}/verification/email");
        let address = json!({"email": email});
        self.post(&format!("{verification}/send"), None, &address)
            .await?;
        let code = json!({"email": email, "verificationCode": SANDBOX_CODE});
        self.post(&format!("{verification}/verify"), None, &code)
            .await?;
        let verified = format!("/simulate/api/{path}/{id}/verify");
        self.post(&verified, None, &json!({})).await?;
        let password = secrets::new_password()?;
        let secret = json!({"password": {"value": password}});
        self.post(&format!("/multi/passwords/{user}/create"), None, &secret)
            .await?;
        let login = json!({"email": email, "password": {"value": password}});
        let login = self
            .post("/multi/login_with_password", None, &login)
            .await?;
        Ok(Identity {
            kind,
            id,
            email,
            password,
            token: text(&login, "/token")?,
            accounts: BTreeMap::new(),
            cards: BTreeMap::new(),
        })
    }

    async fn equip(&self, mut identity: Identity) -> anyhow::Result<Identity> {
        let company = identity.kind == "CORPORATE";
        let dollars: &[_] = if company {
            &[("USD main", "USD"), ("USD reserve", "USD")]
        } else {
            &[]
        };
        for (name, currency) in [("EUR main", "EUR"), ("EUR reserve", "EUR")]
            .iter()
            .chain(dollars)
        {
            let body = json!({
                "profileId": self.profiles["managed_account"],
                "friendlyName": name, "currency": currency,
            });
            let made = self
                .post("/multi/managed_accounts", Some(&identity), &body)
                .await?;
            identity.accounts.insert(name, text(&made, "/id")?);
        }
        let holder = if company { "Anna Reed" } else { "Ben Quay" };
        for (name, profile, mode) in [
            ("EUR prepaid", "managed_card_prepaid", "PREPAID_MODE"),
            ("EUR debit", "managed_card_debit", "DEBIT_MODE"),
        ] {
            let mut body = json!({
                "profileId": self.profiles[profile],
                "friendlyName": name, "nameOnCard": holder, "mode": mode,
                "billingAddress": {
                    "addressLine1": "1 Custom House Quay", "city": "Dublin",
                    "postCode": "D01 V9X5", "country": "IE",
                },
            });
            if mode == "DEBIT_MODE" {
                body["parentManagedAccountId"] = json!(identity.accounts["EUR main"]);
            } else {
                body["currency"] = json!("EUR");
            }
            let made = self
                .post("/multi/managed_cards", Some(&identity), &body)
                .await?;
            identity.cards.insert(name, text(&made, "/id")?);
        }
        Ok(identity)
    }

    async fn deposit(
        &self,
        to: &Identity,
        account: &str,
        currency: &str,
        minor: i64,
        sender: &str,
    ) -> anyhow::Result<()> {
        let body = json!({
            "depositAmount": {"currency": currency, "amount": minor}, "senderName": sender,
        });
        let path = format!("/simulate/api/accounts/{}/deposit", to.accounts[account]);
        let answer = self.post(&path, None, &body).await?;
        expect_code(&answer, "COMPLETED")
    }

    async fn purchase(
        &self,
        by: &Identity,
        card: &str,
        currency: &str,
        minor: i64,
        merchant: &str,
    ) -> anyhow::Result<()> {
        let body = json!({
            "merchantName": merchant, "transactionAmount": {"currency": currency, "amount": minor},
        });
        let path = format!("/simulate/api/cards/{}/purchase", by.cards[card]);
        let answer = self.post(&path, None, &body).await?;
        expect_code(&answer, "APPROVED")
    }

    async fn refund(
        &self,
        to: &Identity,
        card: &str,
        currency: &str,
        minor: i64,
        merchant: &str,
    ) -> anyhow::Result<()> {
        let body = json!({
            "merchantName": merchant, "transactionAmount": {"currency": currency, "amount": minor},
        });
        let path = format!("/simulate/api/cards/{}/merchant_refund", to.cards[card]);
        let answer = self.post(&path, None, &body).await?;
        expect_code(&answer, "APPROVED")
    }

    async fn move_money(
        &self,
        of: &Identity,
        from: &str,
        to: &str,
        currency: &str,
        minor: i64,
        at: Option<Millis>,
    ) -> anyhow::Result<String> {
        let instrument = |name: &str| match of.accounts.get(name) {
            Some(id) => json!({"id": id, "type": "managed_accounts"}),
            None => json!({"id": of.cards[name], "type": "managed_cards"}),
        };
        let mut body = json!({
            "profileId": self.profiles["transfer"],
            "source": instrument(from),
            "destination": instrument(to),
            "destinationAmount": {"currency": currency, "amount": minor},
            "description": format!("{from} to {to}"),
        });
        if let Some(Millis(at)) = at {
            body["scheduledTimestamp"] = json!(at.to_string());
        }
        let made = self.post("/multi/transfers", Some(of), &body).await?;
        text(&made, "/id")
    }

    async fn call_off(&self, of: &Identity, transfer: &str) -> anyhow::Result<()> {
        let body = json!({
            "cancellations": [{"id": transfer, "cancellationReason": "no longer needed"}],
        });
        let path = "/multi/transfers/bulk/cancel";
        let answer = self.post(path, Some(of), &body).await?;
        match answer.pointer("/cancellations/0/state") {
            Some(state) if state == "SUCCESS" => Ok(()),
            _ => bail!("a transfer was not called off: {answer}"),
        }
    }

    /// One call of this server to itself, by a user or by the programme.
    async fn post(&self, path: &str, by: Option<&Identity>, body: &Value) -> anyhow::Result<Value> {
        let mut request = Request::builder()
            .method(Method::POST)
            .uri(path)
            .header("content-type", "application/json")
            .header("api-key", &self.api_key);
        if let Some(by) = by {
            request = request.header("authorization", format!("Bearer {}", by.token));
        }
        let request = request.body(Body::from(body.to_string()))?;
        let response = self.routes.clone().oneshot(request).await?;
        let status = response.status();
        let bytes: Bytes = axum::body::to_bytes(response.into_body(), ANSWER_MAX).await?;
        if !status.is_success() {
            let text = String::from_utf8_lossy(&bytes);
            bail!("{path} answered {status}: {text}");
        }
        if bytes.is_empty() {
            return Ok(Value::Object(Map::new()));
        }
        serde_json::from_slice(&bytes).with_context(|| format!("{path} answered no JSON"))
    }
}

fn text(answer: &Value, place: &str) -> anyhow::Result<String> {
    let value = answer.pointer(place).and_then(Value::as_str);
    let value = value.with_context(|| format!("{place} is not in {answer}"))?;
    Ok(value.to_owned())
}

fn expect_code(answer: &Value, code: &str) -> anyhow::Result<()> {
    if answer["code"] == code {
        Ok(())
    } else {
        bail!("expected {code}: {answer}")
    }
}

/// Key in `demo.json`, name and terms.
fn profiles_of_the_demo() -> anyhow::Result<Vec<(&'static str, &'static str, Terms)>> {
    let account = Terms::ManagedAccount {
        max_balances: Vec::new(),
        deposit_fees: Vec::new(),
    };
    let card = |mode| Terms::ManagedCard {
        mode,
        max_balances: Vec::new(),
    };
    let free = TransferTerms {
        pairs: Vec::new(),
        fees: Vec::new(),
        fee_policy: FeePolicy::BestEffort,
        max_amounts: Vec::new(),
        deny_above: Vec::new(),
        forex: false,
    };
    // 25 cents and 0.5 % from account to card.
    let rate = Rate::from_ppm(5_000).context("0.5 % is a rate")?;
    let fee = TransferFee {
        pair: Pair {
            source: InstrumentClass::Account,
            destination: InstrumentClass::Card,
        },
        currency: Currency::EUR,
        fee: Fee::Plus(25, rate),
    };
    let with_fees = TransferTerms {
        fees: vec![fee],
        ..free.clone()
    };
    Ok(vec![
        ("corporate", "Companies", Terms::Corporate),
        ("consumer", "People", Terms::Consumer),
        ("managed_account", "Accounts", account),
        (
            "managed_card_prepaid",
            "Prepaid cards",
            card(CardMode::Prepaid),
        ),
        ("managed_card_debit", "Debit cards", card(CardMode::Debit)),
        ("transfer", "Transfers", Terms::Transfer(free)),
        (
            "transfer_with_fees",
            "Transfers, 0.25 + 0.5 % to cards",
            Terms::Transfer(with_fees),
        ),
    ])
}
