//! Signatures: those of Standard Webhooks, and those of the Multi dialect's vendor.

use base64ct::{Base64, Encoding};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// What a secret of Standard Webhooks begins with.
pub const SECRET_PREFIX: &str = "whsec_";

/// A secret that webhooks are signed with.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret([u8; 32]);

impl Secret {
    /// The secret of these bytes.
    #[must_use]
    pub fn new(bytes: [u8; 32]) -> Secret {
        Secret(bytes)
    }

    /// The secret that [`Secret::text`] shows so.
    #[must_use]
    pub fn parse(text: &str) -> Option<Secret> {
        let encoded = text.strip_prefix(SECRET_PREFIX)?;
        let bytes = Base64::decode_vec(encoded).ok()?;
        Some(Secret(bytes.try_into().ok()?))
    }

    /// `whsec_` and base64, as Standard Webhooks wants it; Multi's key is this text.
    #[must_use]
    pub fn text(&self) -> String {
        format!("{SECRET_PREFIX}{}", Base64::encode_string(&self.0))
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(…)")
    }
}

fn hmac(key: &[u8], parts: &[&[u8]]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    for part in parts {
        mac.update(part);
    }
    Base64::encode_string(&mac.finalize().into_bytes())
}

/// The value of `webhook-signature`: one signature for each secret, over `id.timestamp.body`.
/// `timestamp_s` is in seconds since 1970.
#[must_use]
pub fn standard_signature(secrets: &[Secret], id: &str, timestamp_s: i64, body: &[u8]) -> String {
    let timestamp = timestamp_s.to_string();
    let parts: [&[u8]; 5] = [id.as_bytes(), b".", timestamp.as_bytes(), b".", body];
    let signatures = secrets
        .iter()
        .map(|secret| format!("v1,{}", hmac(&secret.0, &parts)));
    signatures.collect::<Vec<_>>().join(" ")
}

/// The two signatures of Multi (weavr-api §10).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MultiSignature {
    /// `signature`: over the published timestamp.
    pub first: String,
    /// `signature-v2`: over call reference, body and published timestamp, without separators.
    pub second: String,
}

/// Signs as Multi does. `published_ms` is in milliseconds since 1970.
#[must_use]
pub fn multi_signature(
    secret: &Secret,
    call_ref: &str,
    published_ms: i64,
    body: &[u8],
) -> MultiSignature {
    let key = secret.text();
    let published = published_ms.to_string();
    MultiSignature {
        first: hmac(key.as_bytes(), &[published.as_bytes()]),
        second: hmac(
            key.as_bytes(),
            &[call_ref.as_bytes(), body, published.as_bytes()],
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_verifier_takes_what_is_signed_with_either_secret() {
        let [old, new, other] = [1, 2, 3].map(|byte| Secret::new([byte; 32]));
        let body = br#"{"type":"transfer.created"}"#;
        // The verifier looks at the machine's clock.
        let now = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .expect("after 1970");
        let now = i64::try_from(now.as_secs()).expect("not so late");
        let signature = standard_signature(&[new.clone(), old.clone()], "evt_1", now, body);
        let verify = |secret: &Secret, signature: &str, body: &[u8]| {
            let verifier = standardwebhooks::Webhook::new(&secret.text()).expect("a secret");
            let headers = [
                ("webhook-id", "evt_1".to_owned()),
                ("webhook-timestamp", now.to_string()),
                ("webhook-signature", signature.to_owned()),
            ];
            let headers: hyper::HeaderMap = headers
                .into_iter()
                .map(|(name, value)| {
                    let name = hyper::header::HeaderName::from_static(name);
                    (name, value.parse().expect("a header"))
                })
                .collect();
            verifier.verify(body, &headers).is_ok()
        };
        assert!(verify(&old, &signature, body));
        assert!(verify(&new, &signature, body));
        assert!(!verify(&other, &signature, body));
        assert!(!verify(&new, &signature, b"{}"));
    }

    #[test]
    fn multi_signs_like_these_examples() {
        // openssl dgst -sha256 -hmac "$key" -binary | base64
        let secret = Secret::new([0; 32]);
        let signed = multi_signature(&secret, "42", 1_700_000_000_000, b"{}");
        let key = "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
        assert_eq!(secret.text(), key);
        assert_eq!(signed.first, "wquRqRz5J39Z+4N89kk/rCC08VbItxmA3j9EYyLgr4s=");
        assert_eq!(
            signed.second,
            "8dQac7wMfHSZgkUAJeG/VV0hXhxPyHfuxhD3/GCCruQ="
        );
    }

    #[test]
    fn secrets_read_back() {
        let secret = Secret::new([7; 32]);
        assert_eq!(Secret::parse(&secret.text()), Some(secret));
        for wrong in ["", "whsec_", "whsec_!!", "AAAA", "whsec_AAAA"] {
            assert_eq!(Secret::parse(wrong), None, "{wrong}");
        }
    }
}
