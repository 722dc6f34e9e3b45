"""Credentials for scripts/schemathesis.

Every call of the Multi dialect is made by a user of a fresh corporate: a generated request may log
out, change the password or deactivate its user, so each run of an operation begins with a new one.
"""

import itertools
import json
import os
import urllib.request

import schemathesis

with open(os.environ["TIDEGATE_DEMO"], encoding="utf-8") as file:
    DEMO = json.load(file)
MULTI = DEMO["multi"]
NUMBERS = itertools.count(1)
PASSWORD = "Pa55word!-of-tests"


def post(url, body, token=None):
    headers = {"api-key": MULTI["api_key"], "content-type": "application/json"}
    if token:
        headers["authorization"] = f"Bearer {token}"
    data = json.dumps(body).encode()
    request = urllib.request.Request(url, data=data, headers=headers, method="POST")
    with urllib.request.urlopen(request) as answer:
        text = answer.read()
    return json.loads(text) if text else {}


def new_corporate():
    """A verified corporate with a password; its id and its root user's e-mail address."""
    multi, simulator = MULTI["base_url"], MULTI["simulator_url"]
    email = f"user{next(NUMBERS)}@schema.example"
    made = post(
        f"{multi}/corporates",
        {
            "profileId": MULTI["profiles"]["corporate"],
            "rootUser": {
                "name": "Sam",
                "surname": "Schema",
                "email": email,
                "mobile": {"countryCode": "+353", "number": "851234567"},
                "companyPosition": "DIRECTOR",
            },
            "company": {"name": "Schema Ltd", "type": "LLC", "registrationCountry": "IE"},
            "ipAddress": "192.0.2.1",
            "baseCurrency": "EUR",
        },
    )
    post(f"{multi}/corporates/verification/email/send", {"email": email})
    code = {"email": email, "verificationCode": "123456"}
    post(f"{multi}/corporates/verification/email/verify", code)
    post(f"{simulator}/corporates/{made['id']['id']}/verify", {})
    user = made["rootUser"]["id"]["id"]
    post(f"{multi}/passwords/{user}/create", {"password": {"value": PASSWORD}})
    return made["id"]["id"], email


def new_token(path):
    identity, email = new_corporate()
    if path.startswith("/multi/backoffice"):
        who = {"identity": {"type": "CORPORATE", "id": identity}}
        return post(f"{MULTI['base_url']}/backoffice/access_token", who)["token"]["token"]
    login = {"email": email, "password": {"value": PASSWORD}}
    return post(f"{MULTI['base_url']}/login_with_password", login)["token"]


@schemathesis.auth(refresh_interval=None)
class Credentials:
    """The headers of one call."""

    def get(self, case, context):
        path = case.operation.full_path
        if path.startswith("/simulate/"):
            return {"programme-key": MULTI["programme_key"]}
        if path.startswith("/multi"):
            return {"api-key": MULTI["api_key"], "authorization": f"Bearer {new_token(path)}"}
        return {"authorization": f"ApiKey {DEMO['sequence']['api_key']}"}

    def set(self, case, data, context):
        case.headers = {**(case.headers or {}), **data}
