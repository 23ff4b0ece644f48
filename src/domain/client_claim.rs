//! Who a client says it is, at every endpoint where clients post a form: token (RFC 6749 §2.3) and
//! revocation (RFC 7009 §2.1).

use crate::domain::refusal::ClientRefusal;

/// What a form says of the client, empty fields dropped.
#[derive(Clone, Default)]
pub struct ClientFields {
    /// `client_id` in the body.
    pub client_id: Option<String>,
    /// `client_secret`, which no client of ours has.
    pub client_secret: Option<String>,
    /// `client_assertion`, which is not supported.
    pub client_assertion: Option<String>,
}

/// What an `Authorization: Basic` header carried; the password itself is not kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BasicCredentials {
    /// The user part.
    pub client_id: String,
    /// Whether nothing followed the colon.
    pub password_is_empty: bool,
}

/// Who the client says it is, from body and `Authorization: Basic` together
/// (RFC 6749 §2.3.1: no more than one way).
pub fn claimed_client_id(
    fields: &ClientFields,
    basic: Option<&BasicCredentials>,
) -> Result<String, ClientRefusal> {
    // An assertion we cannot check must not pass as if it had been checked.
    if fields.client_assertion.is_some() {
        return Err(ClientRefusal::UnsupportedAuthentication);
    }
    let in_body = fields.client_id.as_ref();
    match (in_body, basic) {
        (None, None) => Err(ClientRefusal::MissingClientId),
        (Some(_), None) if fields.client_secret.is_some() => {
            Err(ClientRefusal::UnsupportedAuthentication)
        }
        (Some(client_id), None) => Ok(client_id.clone()),
        (_, Some(_)) if fields.client_secret.is_some() => {
            Err(ClientRefusal::AmbiguousAuthentication)
        }
        (Some(client_id), Some(basic)) if *client_id != basic.client_id => {
            Err(ClientRefusal::AmbiguousAuthentication)
        }
        // A public client may name itself by Basic with an empty password; a password we never
        // gave it is a failed authentication.
        (_, Some(basic)) if basic.password_is_empty => Ok(basic.client_id.clone()),
        (_, Some(_)) => Err(ClientRefusal::BasicAuthenticationFailed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_says_who_it_is_in_one_way() {
        let body = |client_id: Option<&str>, secret: Option<&str>| ClientFields {
            client_id: client_id.map(str::to_owned),
            client_secret: secret.map(str::to_owned),
            client_assertion: None,
        };
        let basic = |empty| BasicCredentials { client_id: "a".into(), password_is_empty: empty };
        assert_eq!(claimed_client_id(&body(Some("a"), None), None).as_deref(), Ok("a"));
        assert_eq!(claimed_client_id(&body(None, None), Some(&basic(true))).as_deref(), Ok("a"));
        assert_eq!(
            claimed_client_id(&body(Some("a"), None), Some(&basic(true))).as_deref(),
            Ok("a")
        );
        for (fields, basic, refusal) in [
            (body(None, None), None, ClientRefusal::MissingClientId),
            (body(Some("a"), Some("s")), None, ClientRefusal::UnsupportedAuthentication),
            (body(Some("b"), None), Some(basic(true)), ClientRefusal::AmbiguousAuthentication),
            (body(Some("a"), Some("s")), Some(basic(true)), ClientRefusal::AmbiguousAuthentication),
            (body(None, None), Some(basic(false)), ClientRefusal::BasicAuthenticationFailed),
        ] {
            assert_eq!(claimed_client_id(&fields, basic.as_ref()), Err(refusal));
        }
        let asserted = ClientFields { client_assertion: Some("eyJ".into()), ..Default::default() };
        let refusal = claimed_client_id(&asserted, None);
        assert_eq!(refusal, Err(ClientRefusal::UnsupportedAuthentication));
    }
}
