//! A private JWK (RFC 7518 §6) as PKCS#8, for operators who keep their key in that form.

use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, RsaKeyPair,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;

use crate::keys::{KeyError, SigningAlgorithm, key_error};

#[derive(Deserialize)]
struct PrivateJwk {
    kty: String,
    n: Option<String>,
    e: Option<String>,
    d: Option<String>,
    p: Option<String>,
    q: Option<String>,
    dp: Option<String>,
    dq: Option<String>,
    qi: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

/// Reads the JWK of a private key that fits `algorithm`.
pub fn to_pkcs8(algorithm: SigningAlgorithm, text: &str) -> Result<Vec<u8>, KeyError> {
    // The parser's message could quote the key.
    let jwk: PrivateJwk = serde_json::from_str(text).map_err(|_| key_error("it is not a JWK"))?;
    match (algorithm, jwk.kty.as_str()) {
        (SigningAlgorithm::Rs256, "RSA") => rsa(&jwk),
        (SigningAlgorithm::Es256, "EC") => {
            let point = [vec![4], bytes(jwk.x.as_ref())?, bytes(jwk.y.as_ref())?].concat();
            let key = EcdsaKeyPair::from_private_key_and_public_key(
                &ECDSA_P256_SHA256_FIXED_SIGNING,
                &bytes(jwk.d.as_ref())?,
                &point,
            )
            .map_err(key_error)?;
            Ok(key.to_pkcs8v1().map_err(key_error)?.as_ref().to_vec())
        }
        (SigningAlgorithm::EdDsa, "OKP") => {
            let (seed, public) = (bytes(jwk.d.as_ref())?, bytes(jwk.x.as_ref())?);
            let key =
                Ed25519KeyPair::from_seed_and_public_key(&seed, &public).map_err(key_error)?;
            Ok(key.to_pkcs8v1().map_err(key_error)?.as_ref().to_vec())
        }
        _ => Err(key_error(format!("its kty does not fit {}", algorithm.name()))),
    }
}

/// An RSAPrivateKey of RFC 8017 §A.1.2, which the library reads and writes as PKCS#8.
fn rsa(jwk: &PrivateJwk) -> Result<Vec<u8>, KeyError> {
    let parts = [&jwk.n, &jwk.e, &jwk.d, &jwk.p, &jwk.q, &jwk.dp, &jwk.dq, &jwk.qi];
    let mut body = integer(&[0]);
    for part in parts {
        body.extend(integer(&bytes(part.as_ref())?));
    }
    let der = tagged(0x30, &body);
    let key = RsaKeyPair::from_der(&der).map_err(key_error)?;
    Ok(key.as_der().map_err(key_error)?.as_ref().to_vec())
}

fn bytes(part: Option<&String>) -> Result<Vec<u8>, KeyError> {
    let text = part.ok_or_else(|| key_error("a private part is missing"))?;
    URL_SAFE_NO_PAD.decode(text).map_err(|_| key_error("a part is not base64url"))
}

fn integer(magnitude: &[u8]) -> Vec<u8> {
    let trimmed = &magnitude[magnitude.iter().take_while(|byte| **byte == 0).count()..];
    // A leading zero keeps a high first bit from meaning a negative number (X.690 §8.3).
    let needs_zero = trimmed.first().is_none_or(|first| first & 0x80 != 0);
    let content = if needs_zero { [&[0][..], trimmed].concat() } else { trimmed.to_vec() };
    tagged(0x02, &content)
}

fn tagged(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len().to_be_bytes();
    let significant = &length[length.iter().take_while(|byte| **byte == 0).count()..];
    let mut der = vec![tag];
    match content.len() {
        // X.690 §8.1.3: the short form below 128, else a count of length bytes.
        short if short < 128 => der.push(u8::try_from(short).unwrap_or(0)),
        _ => {
            der.push(0x80 | u8::try_from(significant.len()).unwrap_or(8));
            der.extend(significant);
        }
    }
    der.extend(content);
    der
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::SigningKey;

    /// The key of RFC 7517 appendix A.2.
    const EC: &str = r#"{"kty":"EC","crv":"P-256",
        "x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",
        "y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM",
        "d":"870MB6gfuTJ4HtUnUvYMyJpr5eUZNP4Bk43bVdj3eAE"}"#;

    /// The key of RFC 8037 appendix A.1.
    const ED: &str = r#"{"kty":"OKP","crv":"Ed25519",
        "d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A",
        "x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;

    #[test]
    fn keys_of_the_rfcs_are_read() {
        let key = SigningKey::from_text(SigningAlgorithm::Es256, EC).unwrap();
        assert_eq!(key.kid(), "cn-I_WNMClehiVp51i_0VpOENW1upEerA8sEam5hn-s");
        let key = SigningKey::from_text(SigningAlgorithm::EdDsa, ED).unwrap();
        // RFC 8037 appendix A.3.
        assert_eq!(key.kid(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    }

    #[test]
    fn a_key_that_does_not_fit_is_refused_without_being_repeated() {
        for (algorithm, text) in [
            (SigningAlgorithm::Rs256, EC),
            (SigningAlgorithm::Es256, ED),
            (SigningAlgorithm::EdDsa, "{\"d\": \"hunter2\"}"),
            (SigningAlgorithm::Rs256, "{\"kty\": \"RSA\", \"d\": \"hunter2\"}"),
        ] {
            let error = SigningKey::from_text(algorithm, text).unwrap_err().to_string();
            assert!(!error.contains("hunter2"), "{error}");
        }
    }
}
