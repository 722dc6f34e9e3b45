//! Where the Multi dialect decides otherwise than the published data, and why.

/// Operations beside the published ones, each with the beginning of its path: a client can ask what
/// became of its reference.
const ADDED: [(&str, &str); 1] = [("GET", "/idempotency_refs/")];

/// Whether an operation is one of ours, which our own document describes.
pub fn is_added(method: &str, path: &str) -> bool {
    let mut added = ADDED.iter();
    added.any(|(known, begin)| *known == method && path.starts_with(begin))
}

/// What stands in place of the data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Instead {
    /// The answer is the one that the Multi data has under this name.
    Response(&'static str),
    /// The documented body may be left out.
    NoBody,
    /// A member beside the documented ones.
    Member(&'static str),
}

/// One decision.
#[derive(Debug)]
pub struct Deviation {
    /// The base path of the API; `*` is each.
    pub base: &'static str,
    /// The operation as the data names it; `*` is each.
    pub operation: &'static str,
    /// A status or `default`.
    pub status: &'static str,
    pub instead: Instead,
    pub reason: &'static str,
}

use Instead::{Member, NoBody, Response};

const fn row(
    base: &'static str,
    operation: &'static str,
    status: &'static str,
    instead: Instead,
    reason: &'static str,
) -> Deviation {
    Deviation {
        base,
        operation,
        status,
        instead,
        reason,
    }
}

const BULK: &str = "POST /bulks/transfers";
const BULK_REASON: &str =
    "the data has only the success of this operation; refused as the other bulk operations";

/// Every decision, in the order in which they are looked for.
pub const DEVIATIONS: &[Deviation] = &[
    row(
        "*",
        "*",
        "429",
        Response("TooManyRequests"),
        "limits are a programme's and count all its calls; the data has 429 only at some operations",
    ),
    row(
        "*",
        "*",
        "503",
        Response("ServiceUnavailable"),
        "says the same everywhere; the simulator's data has no response of its own for it",
    ),
    row(
        "/multi",
        "*",
        "403",
        Response("InstrumentForbidden"),
        "every operation says that an identity must be chosen first; the data has that at some of \
         them, and elsewhere a 403 without a body or none",
    ),
    row(
        "*",
        "*",
        "500",
        Response("InternalServerError"),
        "says the same everywhere; the simulator's data has no response of its own for it",
    ),
    row(
        "/simulate/api",
        "*",
        "401",
        Response("Unauthorized"),
        "says the same everywhere; the simulator's data has no response of its own for it",
    ),
    row(
        "*",
        "*",
        "403",
        NoBody,
        "a genuine key of another programme than the token's: none of the documented codes is true",
    ),
    row(
        "*",
        "*",
        "403",
        Member("message"),
        "clients of the vendor read the code from `message`, so it is given twice",
    ),
    row(
        "/multi/backoffice",
        "*",
        "400",
        Response("BadRequestError"),
        "one form of a 400 beside `/multi`; the Back Office data is of a later version, in which \
         faults have other names",
    ),
    row(
        "/simulate/api",
        "*",
        "default",
        Member("code"),
        "a refusal has a code for programs on all three paths",
    ),
    row(
        "/multi",
        BULK,
        "400",
        Response("BadRequestError"),
        BULK_REASON,
    ),
    row("/multi", BULK, "401", Response("Unauthorized"), BULK_REASON),
    row("/multi", BULK, "403", Response("Forbidden"), BULK_REASON),
    row(
        "/multi",
        BULK,
        "409",
        Response("BulkProcessorConflictResponse"),
        BULK_REASON,
    ),
    row("/multi", BULK, "default", Response("Error"), BULK_REASON),
];

/// The rows for a status of an operation.
pub fn of(base: &str, operation: &str, status: &str) -> impl Iterator<Item = &'static Deviation> {
    DEVIATIONS.iter().filter(move |row| {
        let is = |pattern: &str, text: &str| pattern == "*" || pattern == text;
        is(row.base, base) && is(row.operation, operation) && row.status == status
    })
}
