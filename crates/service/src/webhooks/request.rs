//! The request of one attempt: body, headers, signatures. Each has a timestamp and signatures of its
//! own, and the id that all attempts of a delivery share.

use ::webhooks::{Outgoing, Secret, Target, multi_signature, standard_signature};
use ledger::Millis;
use store::Place;

use super::{Format, Rendered};

/// What a request is made of.
pub(super) struct Parts<'a> {
    pub target: &'a Target,
    pub format: Format,
    pub delivery_id: &'a str,
    pub now: Millis,
    /// The newest first; without any it is not signed.
    pub secrets: Vec<Secret>,
}

/// The event of a delivery that has none.
pub(super) const NO_EVENT: Place = Place::START;

impl Parts<'_> {
    /// The request with this body.
    pub(super) fn request(self, rendered: Rendered) -> Outgoing {
        let body = rendered.body.into_bytes();
        let mut headers = vec![("content-type", "application/json".to_owned())];
        match self.format {
            Format::Standard | Format::Sequence => {
                let at = self.now.0.div_euclid(1_000);
                let signature = standard_signature(&self.secrets, self.delivery_id, at, &body);
                headers.push(("webhook-id", self.delivery_id.to_owned()));
                headers.push(("webhook-timestamp", at.to_string()));
                if !self.secrets.is_empty() {
                    headers.push(("webhook-signature", signature));
                }
            }
            Format::Multi => self.sign_multi(&body, &mut headers),
        }
        Outgoing {
            target: match rendered.path {
                "" => self.target.clone(),
                path => self.target.below(path),
            },
            headers: headers.into_iter().filter_map(header).collect(),
            body: body.into(),
        }
    }

    /// While two secrets are live the older one signs, and the newer one beside it: a receiver knows
    /// only one header of each kind.
    fn sign_multi(&self, body: &[u8], headers: &mut Vec<(&'static str, String)>) {
        let (id, at) = (self.delivery_id, self.now.0);
        headers.push(("call-ref", id.to_owned()));
        headers.push(("request-ref", id.to_owned()));
        headers.push(("published-timestamp", at.to_string()));
        if let Some(oldest) = self.secrets.last() {
            let signed = multi_signature(oldest, id, at, body);
            headers.push(("signature", signed.first));
            headers.push(("signature-v2", signed.second));
        }
        if let [newest, _] = &self.secrets[..] {
            let signed = multi_signature(newest, id, at, body);
            headers.push(("signature-v2-next", signed.second));
        }
    }
}

fn header((name, value): (&'static str, String)) -> Option<::webhooks::Header> {
    ::webhooks::header(name, &value)
}
