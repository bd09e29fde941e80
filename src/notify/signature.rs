//! Signatures as Standard Webhooks has them (standardwebhooks.com): over id, time and body, so that nobody can send, change
//! or send again what a receiver believes.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use ring::hmac;

use super::secret::Secret;

/// What a secret begins with whose bytes are written in base64.
const PREFIX: &str = "whsec_";

/// What signs.
#[derive(Clone)]
pub(super) struct Key(hmac::Key);

impl Key {
    /// The key of a secret: `whsec_` and base64, or any text, whose bytes it then is.
    pub(super) fn of(secret: &Secret) -> Result<Self, String> {
        let bytes = match secret.as_str().strip_prefix(PREFIX) {
            Some(encoded) => BASE64_STANDARD
                .decode(encoded)
                .map_err(|_| format!("what follows {PREFIX} in it is no base64"))?,
            None => secret.as_str().as_bytes().to_vec(),
        };
        Ok(Self(hmac::Key::new(hmac::HMAC_SHA256, &bytes)))
    }

    /// The header `webhook-signature`.
    pub(super) fn sign(&self, id: &str, seconds: i64, body: &str) -> String {
        let signed = hmac::sign(&self.0, format!("{id}.{seconds}.{body}").as_bytes());
        format!("v1,{}", BASE64_STANDARD.encode(signed.as_ref()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notify::Source;

    fn key(secret: &str) -> Result<Key, String> {
        Key::of(&Source::Text(secret.to_owned()).read(|_| None).expect("a text"))
    }

    #[test]
    fn the_example_of_the_specification_is_signed_as_it_says() {
        let key = key("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").expect("a key");
        let signed = key.sign("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, r#"{"test": 2432232314}"#);
        assert_eq!(signed, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn others_check_what_is_signed() {
        let secret = "whsec_c2VjcmV0IHRoYXQgaXMgbG9uZyBlbm91Z2g=";
        let (id, body, now) =
            ("msg_1", r#"{"type":"task.asked","data":{"message":"Zoë?"}}"#, jiff::Timestamp::now());
        let signed = key(secret).expect("a key").sign(id, now.as_second(), body);
        let mut headers = http::HeaderMap::new();
        for (name, value) in [
            ("webhook-id", id),
            ("webhook-timestamp", &now.as_second().to_string()),
            ("webhook-signature", &signed),
        ] {
            headers.insert(name, value.parse().expect("a header"));
        }
        let webhook = standardwebhooks::Webhook::new(secret).expect("a secret");
        webhook.verify(body.as_bytes(), &headers).expect("is what it expects");
        assert!(webhook.verify(body.replace('?', "!").as_bytes(), &headers).is_err());
    }

    #[test]
    fn a_secret_is_base64_or_any_text() {
        assert!(key("whsec_ä").is_err_and(|problem| problem.contains("base64")));
        assert_ne!(
            key("raw").expect("a key").sign("a", 1, ""),
            key("other").expect("a key").sign("a", 1, "")
        );
    }
}
