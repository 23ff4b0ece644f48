//! The token endpoint's form, parsed once into what can be true (RFC 6749 §4.1.3, §6).

use crate::domain::client::GrantType;
use crate::domain::client_claim::ClientFields;
use crate::domain::refusal::TokenRefusal;
use crate::secret::Secret;

/// The fields of the form, empty ones dropped.
#[derive(Clone, Default)]
pub struct TokenFields {
    /// `grant_type`
    pub grant_type: Option<String>,
    /// What says who asks.
    pub client: ClientFields,
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
}
