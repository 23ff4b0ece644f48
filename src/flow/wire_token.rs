//! The token endpoint's form and header, as the domain reads them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use gatehouse_api::token::TokenForm;
use gatehouse_api::visit::Visit;

use crate::domain::refusal::TokenRefusal;
use crate::domain::token_request::{BasicCredentials, TokenFields};

/// The form as the domain reads it.
pub fn fields(form: TokenForm) -> TokenFields {
    TokenFields {
        grant_type: form.grant_type,
        client_id: form.client_id,
        client_secret: form.client_secret,
        client_assertion: form.client_assertion,
        code: form.code,
        code_verifier: form.code_verifier,
        redirect_uri: form.redirect_uri,
        refresh_token: form.refresh_token,
        scope: form.scope,
        resource: form.resource,
    }
}

/// What an `Authorization` header says of the client. `Err` when it is there and is not readable
/// HTTP Basic.
pub fn basic_credentials(visit: &Visit) -> Result<Option<BasicCredentials>, TokenRefusal> {
    let failed = TokenRefusal::BasicAuthenticationFailed;
    if !visit.headers.contains_key("authorization") {
        return Ok(None);
    }
    let header = visit.header("authorization").ok_or(failed)?;
    let (scheme, encoded) = header.split_once(' ').ok_or(failed)?;
    // Some clients send the token they have; the client itself is not thereby unknown.
    if !scheme.eq_ignore_ascii_case("basic") {
        return Err(TokenRefusal::MalformedRequest);
    }
    let decoded = STANDARD.decode(encoded.trim()).map_err(|_| failed)?;
    let decoded = String::from_utf8(decoded).map_err(|_| failed)?;
    let (user, password) = decoded.split_once(':').ok_or(failed)?;
    // Identifiers of ours have no character that form-encoding changes, so the raw and the encoded
    // spelling (RFC 6749 §2.3.1) are the same.
    Ok(Some(BasicCredentials {
        client_id: user.to_owned(),
        password_is_empty: password.is_empty(),
    }))
}
