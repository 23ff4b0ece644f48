//! Events as signed JSON, in the scheme of Standard Webhooks: whoever has the secret can tell that
//! a message is ours, whole, and not an old one sent again.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use url::Url;

use crate::attribution::event::FEEDBACK_SUBMITTED;
use crate::attribution::letter::{
    IDEMPOTENCY_HEADER, Letter, Parcel, Receiver, Told, told_by_payload,
};
use crate::clock::Timestamp;
use crate::secret::hmac_sha256_of_message;

/// A receiver of signed JSON.
pub struct Webhook {
    /// Where it is posted.
    pub url: Url,
    /// Each signs, so that a receiver may know either while they are changed.
    pub secrets: Vec<Vec<u8>>,
}

impl Receiver for Webhook {
    fn letter(&self, parcel: &Parcel<'_>, now: Timestamp) -> Option<Letter> {
        let mut data: serde_json::Value = serde_json::from_slice(parcel.payload).ok()?;
        let id = parcel.idempotency_key.to_string();
        if parcel.kind == FEEDBACK_SUBMITTED {
            data.as_object_mut()?.insert("receipt".to_owned(), json!(id));
        }
        let body = json!({ "type": parcel.kind, "idempotency_key": id, "data": data });
        let body = body.to_string().into_bytes();
        Some(signed(&self.url, &self.secrets, id, body, now))
    }

    fn told(&self, parcel: &Parcel<'_>) -> Told {
        told_by_payload(parcel.payload)
    }
}

/// A letter with JSON, signed under each of the secrets.
pub fn signed(url: &Url, secrets: &[Vec<u8>], id: String, body: Vec<u8>, now: Timestamp) -> Letter {
    let timestamp = now.seconds().to_string();
    Letter {
        url: url.clone(),
        headers: vec![
            ("content-type", "application/json".to_owned()),
            ("webhook-signature", signatures(secrets, &id, &timestamp, &body)),
            ("webhook-timestamp", timestamp),
            ("webhook-id", id.clone()),
            (IDEMPOTENCY_HEADER, id),
        ],
        body,
    }
}

/// `v1,` and the base64 of an HMAC-SHA-256 over `id.timestamp.body`, one for each secret.
fn signatures(secrets: &[Vec<u8>], id: &str, timestamp: &str, body: &[u8]) -> String {
    let message = [id.as_bytes(), b".", timestamp.as_bytes(), b".", body].concat();
    let signature = |secret: &Vec<u8>| {
        format!("v1,{}", STANDARD.encode(hmac_sha256_of_message(secret, &message)))
    };
    secrets.iter().map(signature).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the Standard Webhooks specification's own test suites.
    #[test]
    fn a_signature_is_the_one_that_others_compute() {
        let secret = STANDARD.decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let signed = signatures(
            &[secret.clone(), secret],
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            "1614265330",
            br#"{"test": 2432232314}"#,
        );
        let expected = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
        assert_eq!(signed, format!("{expected} {expected}"));
    }
}
