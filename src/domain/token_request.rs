//! The token endpoint's form, parsed once into what can be true (RFC 6749 §4.1.3, §6).

use crate::domain::client::GrantType;
use crate::domain::refusal::TokenRefusal;
use crate::secret::Secret;

/// The fields of the form, empty ones dropped.
#[derive(Clone, Default)]
pub struct TokenFields {
    /// `grant_type`
    pub grant_type: Option<String>,
    /// `client_id` in the body.
    pub client_id: Option<String>,
    /// `client_secret`, which no client of ours has.
    pub client_secret: Option<String>,
    /// `client_assertion`, which is not supported.
    pub client_assertion: Option<String>,
    /// `code`
    pub code: Option<String>,
    /// `code_verifier`
    pub code_verifier: Option<String>,
    /// `redirect_uri`
    pub redirect_uri: Option<String>,
    /// `refresh_token`
    pub refresh_token: Option<String>,
    /// `scope`
    pub scope: Option<String>,
    /// `resource`
    pub resource: Option<String>,
}

/// A request that has all it needs.
#[derive(Clone, Debug)]
pub enum TokenRequest {
    /// Exchange a code.
    AuthorizationCode(CodeExchange),
    /// Rotate a refresh token.
    RefreshToken(Refresh),
}

/// What an exchange presents.
#[derive(Clone, Debug)]
pub struct CodeExchange {
    /// The code.
    pub presented_code: Secret,
    /// The PKCE verifier.
    pub code_verifier: Secret,
    /// The redirect of the authorization request; optional since OAuth 2.1 §10.2.
    pub redirect_uri: Option<String>,
    /// RFC 8707.
    pub resource: Option<String>,
}

/// What a refresh presents.
#[derive(Clone, Debug)]
pub struct Refresh {
    /// The refresh token.
    pub presented_refresh_token: Secret,
    /// Narrower scope for the access token.
    pub scope: Option<String>,
    /// RFC 8707.
    pub resource: Option<String>,
}

impl TokenRequest {
    /// Parses the fields; which client asks is not judged here.
    pub fn parse(fields: TokenFields) -> Result<Self, TokenRefusal> {
        let name = required("grant_type", fields.grant_type)?;
        match GrantType::from_name(&name) {
            Some(GrantType::AuthorizationCode) => Ok(Self::AuthorizationCode(CodeExchange {
                presented_code: required("code", fields.code).map(Secret::presented)?,
                code_verifier: required("code_verifier", fields.code_verifier)
                    .map(Secret::presented)?,
                redirect_uri: fields.redirect_uri,
                resource: fields.resource,
            })),
            Some(GrantType::RefreshToken) => Ok(Self::RefreshToken(Refresh {
                presented_refresh_token: required("refresh_token", fields.refresh_token)
                    .map(Secret::presented)?,
                scope: fields.scope,
                resource: fields.resource,
            })),
            None => Err(TokenRefusal::UnsupportedGrantType),
        }
    }
}

fn required(name: &'static str, value: Option<String>) -> Result<String, TokenRefusal> {
    value.ok_or(TokenRefusal::MissingParameter(name))
}

/// Who the client says it is, from body and `Authorization: Basic` together
/// (RFC 6749 §2.3.1: no more than one way).
pub fn claimed_client_id(
    fields: &TokenFields,
    basic: Option<&BasicCredentials>,
) -> Result<String, TokenRefusal> {
    // An assertion we cannot check must not pass as if it had been checked.
    if fields.client_assertion.is_some() {
        return Err(TokenRefusal::UnsupportedAuthentication);
    }
    let in_body = fields.client_id.as_ref();
    match (in_body, basic) {
        (None, None) => Err(TokenRefusal::MissingParameter("client_id")),
        (Some(_), None) if fields.client_secret.is_some() => {
            Err(TokenRefusal::UnsupportedAuthentication)
        }
        (Some(client_id), None) => Ok(client_id.clone()),
        (_, Some(_)) if fields.client_secret.is_some() => {
            Err(TokenRefusal::AmbiguousAuthentication)
        }
        (Some(client_id), Some(basic)) if *client_id != basic.client_id => {
            Err(TokenRefusal::AmbiguousAuthentication)
        }
        // A public client may name itself by Basic with an empty password; a password we never
        // gave it is a failed authentication.
        (_, Some(basic)) if basic.password_is_empty => Ok(basic.client_id.clone()),
        (_, Some(_)) => Err(TokenRefusal::BasicAuthenticationFailed),
    }
}

/// What an `Authorization: Basic` header carried; the password itself is not kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BasicCredentials {
    /// The user part.
    pub client_id: String,
    /// Whether nothing followed the colon.
    pub password_is_empty: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn some(text: &str) -> Option<String> {
        Some(text.to_owned())
    }

    #[test]
    fn a_missing_field_is_named() {
        for (fields, missing) in [
            (TokenFields::default(), "grant_type"),
            (TokenFields { grant_type: some("authorization_code"), ..Default::default() }, "code"),
            (
                TokenFields {
                    grant_type: some("authorization_code"),
                    code: some("x"),
                    ..Default::default()
                },
                "code_verifier",
            ),
            (
                TokenFields { grant_type: some("refresh_token"), ..Default::default() },
                "refresh_token",
            ),
        ] {
            let refusal = TokenRequest::parse(fields).unwrap_err();
            assert_eq!(refusal, TokenRefusal::MissingParameter(missing));
        }
    }

    #[test]
    fn grants_that_oauth_2_1_removed_do_not_exist() {
        for name in ["password", "client_credentials", "implicit", "AUTHORIZATION_CODE"] {
            let fields = TokenFields { grant_type: some(name), ..Default::default() };
            let refusal = TokenRequest::parse(fields).unwrap_err();
            assert_eq!(refusal, TokenRefusal::UnsupportedGrantType, "{name}");
        }
    }

    #[test]
    fn a_client_says_who_it_is_in_one_way() {
        let body = |client_id: Option<&str>, secret: Option<&str>| TokenFields {
            client_id: client_id.map(str::to_owned),
            client_secret: secret.map(str::to_owned),
            ..Default::default()
        };
        let basic = |empty| BasicCredentials { client_id: "a".into(), password_is_empty: empty };
        assert_eq!(claimed_client_id(&body(Some("a"), None), None).as_deref(), Ok("a"));
        assert_eq!(claimed_client_id(&body(None, None), Some(&basic(true))).as_deref(), Ok("a"));
        assert_eq!(
            claimed_client_id(&body(Some("a"), None), Some(&basic(true))).as_deref(),
            Ok("a")
        );
        for (fields, basic, refusal) in [
            (body(None, None), None, TokenRefusal::MissingParameter("client_id")),
            (body(Some("a"), Some("s")), None, TokenRefusal::UnsupportedAuthentication),
            (body(Some("b"), None), Some(basic(true)), TokenRefusal::AmbiguousAuthentication),
            (body(Some("a"), Some("s")), Some(basic(true)), TokenRefusal::AmbiguousAuthentication),
            (body(None, None), Some(basic(false)), TokenRefusal::BasicAuthenticationFailed),
        ] {
            assert_eq!(claimed_client_id(&fields, basic.as_ref()), Err(refusal));
        }
        let asserted = TokenFields { client_assertion: some("eyJ"), ..Default::default() };
        let refusal = claimed_client_id(&asserted, None);
        assert_eq!(refusal, Err(TokenRefusal::UnsupportedAuthentication));
    }
}
