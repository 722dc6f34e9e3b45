//! How webhooks are sent: to which targets, signed how, tried again when, and with which bounds.
//!
//! Nothing here knows what an event is or what is stored. Time is handed in, except that a request
//! may take only so long.
//!
//! Guarantees: no connection is made to an address that [`Policy`] does not allow, whatever a name
//! resolves to; no redirect is followed; an answer is read to a limit and never interpreted beyond
//! its status and `Retry-After`.

mod address;
mod schedule;
mod send;
mod sign;
mod target;
mod tls;

pub use address::{Network, NetworkError, is_public};
pub use schedule::{Schedule, Verdict};
pub use send::{Answer, Failure, Header, Limits, Outgoing, Sender, Sent, header};
pub use sign::{MultiSignature, SECRET_PREFIX, Secret, multi_signature, standard_signature};
pub use target::{Policy, Resolve, SystemResolver, Target, TargetError, URL_MAX};
