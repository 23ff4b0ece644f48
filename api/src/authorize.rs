//! The sign-in of a person: consent here, login at the provider, back with a code.

use std::sync::Arc;

use poem_openapi::param::Query;
use poem_openapi::{Object, OpenApi};
use serde::Deserialize;

use crate::Port;
use crate::form::FormOrFault;
use crate::page::PageResponse;
use crate::visit::Visit;

/// The person's answer on the consent page.
#[derive(Object, Deserialize)]
pub struct ConsentForm {
    /// The request as it was accepted, sealed; nobody else can make one, and it is good only in the
    /// browser it was shown in.
    pub request: String,
    /// `approve` or `deny`.
    pub decision: String,
}

/// The group `authorize`.
pub struct AuthorizeApi<P>(pub Arc<P>);

/// Parameters are declared here so that the document shows them. The service reads them from the
/// query itself, because a repeated one must be refused and not read first-wins.
#[OpenApi]
#[allow(clippy::too_many_arguments, reason = "each argument is a parameter in the document")]
impl<P: Port> AuthorizeApi<P> {
    /// Ask a person for authorization (OAuth 2.1 §4.1.1).
    ///
    /// Answers with the consent page, or sends the browser on to the identity provider when the
    /// person has agreed to exactly this before.
    #[oai(path = "/oauth/authorize", method = "get", operation_id = "authorize")]
    async fn authorize(
        &self,
        visit: Visit,
        /// The registered client.
        #[oai(name = "client_id")]
        _client_id: Query<Option<String>>,
        /// One of its registered redirect URIs; on loopback the port may differ.
        #[oai(name = "redirect_uri")]
        _redirect_uri: Query<Option<String>>,
        /// Always `code`.
        #[oai(name = "response_type")]
        _response_type: Query<Option<String>>,
        /// The client's own value, returned byte for byte.
        #[oai(name = "state")]
        _state: Query<Option<String>>,
        /// RFC 7636 §4.2.
        #[oai(name = "code_challenge")]
        _code_challenge: Query<Option<String>>,
        /// Always `S256`.
        #[oai(name = "code_challenge_method")]
        _code_challenge_method: Query<Option<String>>,
        /// Space-separated.
        #[oai(name = "scope")]
        _scope: Query<Option<String>>,
        /// RFC 8707; the MCP endpoint.
        #[oai(name = "resource")]
        _resource: Query<Option<String>>,
        /// `consent` forces the page; `none` is always refused.
        #[oai(name = "prompt")]
        _prompt: Query<Option<String>>,
    ) -> PageResponse {
        self.0.authorize(visit).await
    }

    /// Decide on the consent page.
    ///
    /// The form of our own page, in the browser that was shown it.
    #[oai(path = "/oauth/consent", method = "post", operation_id = "consent")]
    async fn consent(&self, visit: Visit, form: FormOrFault<ConsentForm>) -> PageResponse {
        match form.0 {
            Some(form) => self.0.consent(visit, form).await,
            None => self.0.unreadable_consent(visit).await,
        }
    }

    /// Come back from the identity provider.
    ///
    /// The one redirect URI registered there. Ends at the client's redirect URI.
    #[oai(path = "/mcp/callback", method = "get", operation_id = "callback")]
    async fn callback(
        &self,
        visit: Visit,
        /// Our own value, once.
        #[oai(name = "state")]
        _state: Query<Option<String>>,
        /// The provider's code.
        #[oai(name = "code")]
        _code: Query<Option<String>>,
        /// What the provider says instead.
        #[oai(name = "error")]
        _error: Query<Option<String>>,
        /// RFC 9207.
        #[oai(name = "iss")]
        _iss: Query<Option<String>>,
    ) -> PageResponse {
        self.0.callback(visit).await
    }
}
