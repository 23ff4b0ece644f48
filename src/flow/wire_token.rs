//! Forms that clients post, and the header beside them, as the domain reads them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use gatehouse_api::revoke::RevokeForm;
use gatehouse_api::token::TokenForm;
use gatehouse_api::visit::Visit;

use crate::domain::client_claim::{BasicCredentials, ClientFields, claimed_client_id};
use crate::domain::refusal::{ClientRefusal, RevocationRefusal};
use crate::domain::token_request::TokenFields;
use crate::secret::Secret;

/// The token endpoint's form.
pub fn fields(form: TokenForm) -> TokenFields {
    TokenFields {
        grant_type: form.grant_type,
        client: ClientFields {
            client_id: form.client_id,
            client_secret: form.client_secret,
            client_assertion: form.client_assertion,
        },
        code: form.code,
        code_verifier: form.code_verifier,
        redirect_uri: form.redirect_uri,
        refresh_token: form.refresh_token,
        scope: form.scope,
        resource: form.resource,
    }
}

/// The revocation endpoint's form and header: who asks, and what to revoke. The client names itself
/// as it does at the token endpoint (RFC 7009 §2.1).
pub fn revocation(visit: &Visit, form: RevokeForm) -> Result<(String, Secret), RevocationRefusal> {
    let client = ClientFields {
        client_id: form.client_id,
        client_secret: form.client_secret,
        client_assertion: form.client_assertion,
    };
    let basic = basic_credentials(visit).map_err(RevocationRefusal::Client)?;
    let claimed = claimed_client_id(&client, basic.as_ref());
    let client_id = claimed.map_err(RevocationRefusal::Client)?;
    let token = form.token.map(Secret::presented).ok_or(RevocationRefusal::MissingToken)?;
    Ok((client_id, token))
}

/// What an `Authorization` header says of the client. `Err` when it is there and is not readable
/// HTTP Basic.
pub fn basic_credentials(visit: &Visit) -> Result<Option<BasicCredentials>, ClientRefusal> {
    let failed = ClientRefusal::BasicAuthenticationFailed;
    if !visit.headers.contains_key("authorization") {
        return Ok(None);
    }
    let header = visit.header("authorization").ok_or(failed)?;
    let (scheme, encoded) = header.split_once(' ').ok_or(failed)?;
    // Some clients send the token they have; the client itself is not thereby unknown.
    if !scheme.eq_ignore_ascii_case("basic") {
        return Err(ClientRefusal::ForeignCredentials);
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
