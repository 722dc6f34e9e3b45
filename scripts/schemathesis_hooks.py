"""Credentials for scripts/schemathesis.

Every call of the Multi dialect is made by a user of a fresh corporate: a generated request may log
out, change the password or deactivate its user, so each run of an operation begins with a new one.
"""

import itertools
import json
import os
import urllib.request

import schemathesis
from requests.structures import CaseInsensitiveDict

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


def is_time(value):
    """Whether a value is a number of milliseconds that a schema allows."""
    text = str(value)
    return text.lstrip("-").isdigit() and -(1 << 63) <= int(text) < 1 << 63


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
        # Names in any case: the tool takes credentials out by the name that the document has.
        headers = CaseInsensitiveDict({**(case.headers or {}), **data})
        # One that was used for another body is refused, as it should be.
        if 1 <= len(str(headers.get("idempotency-ref", ""))) <= 255:
            headers["idempotency-ref"] = f"schema-{next(NUMBERS)}"
        case.headers = headers
        # A window of time must not be empty, which a schema cannot say either.
        window = [(case.query or {}).get(name) for name in ("fromTimestamp", "toTimestamp")]
        if all(is_time(time) for time in window):
            del case.query["toTimestamp"]


def is_sayable(value):
    """Whether a schema can tell all that the API asks of a value: no text or name has a NUL or the
    next-line character, which some patterns take for a space, and no integer is written `11.0`."""
    if isinstance(value, dict):
        return all(is_sayable(part) for pair in value.items() for part in pair)
    if isinstance(value, list):
        return all(map(is_sayable, value))
    if isinstance(value, str):
        return not {"\0", "\x85"} & set(value)
    return not (isinstance(value, float) and value.is_integer())


@schemathesis.hook
def filter_body(context, body):
    """Leaves out what is refused although the document lets it through, for the stories to test."""
    entries = body.get("externalData") if isinstance(body, dict) else None
    entries = [e for e in entries if isinstance(e, dict)] if isinstance(entries, list) else []
    known = [(entry.get("name"), entry.get("value")) for entry in entries]
    return is_sayable(body) and all(known.count(entry) == 1 for entry in known)


@schemathesis.hook
def filter_case(context, case):
    """Leaves out headers that nobody knows: HTTP lets everybody add some."""
    return "x-schemathesis-unknown-property" not in (case.headers or {})
