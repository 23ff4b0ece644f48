//! The door of `/mcp`.
//!
//! 1. Host and Origin: a page that rebinds a name or forges a request gets no further.
//! 2. The credential, before method, `Accept` and body are looked at.
//! 3. The limit: per person, or per address where reading without a token is allowed.
//! 4. The body, bounded.
//! 5. The tools; what a call needs of its caller comes back as a challenge.
//!
//! In grace, whoever comes without a token may have to sign in already. That is decided once, when
//! all is known that it depends on: behind the body, and before the limit, which those who are
//! answered 401 do not use up, as under `enforce`.

use std::future::Future;
use std::hash::{BuildHasher as _, RandomState};
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use gatehouse_api::card::{ServerCard, ServerJson};
use gatehouse_api::mcp::{McpBody, McpRequest, McpResponse};
use http::{Response, header};

use crate::config::AuthMode;
use crate::docs::library::Library;
use crate::domain::refusal::AccessRefusal;
use crate::domain::scope::Scope;
use crate::flow::Gatehouse;
use crate::flow::admit::Entry;
use crate::flow::enforcement::{Anonymous, Verdict};
use crate::flow::limits::{Counted, Reading};
use crate::flow::wire::{AnswersMcp, log_fault};
use crate::http::cors::{Cors, OriginVerdict};
use crate::http::credential::{Credential, credential};
use crate::http::front_door;
use crate::http::mcp_refusals::{self as refusals, Challenge};
use crate::http::server_card;
use crate::mcp::caller::{Caller, Grant, Organization, Person, Scopes};
use crate::mcp::server::{McpAnswer, McpServer, Opened, signs_of_headers};
use crate::mcp::usage::Connection;
use crate::metrics::reasons::{DoorRefusal, Limited, Reason};
use crate::metrics::sign_in::Endpoint;

/// The door.
pub struct McpDoor {
    /// The flows.
    pub gatehouse: Arc<Gatehouse>,
    /// The tools.
    pub server: McpServer,
    /// The corpus, for readiness.
    pub library: Arc<Library>,
    /// Which browser origins may come in.
    pub cors: Cors,
    /// Host names this server answers to.
    pub hosts: Hosts,
    /// Tells places without a token apart for a while, without saying which they are.
    pub places: RandomState,
}

/// The host names of the public address.
pub struct Hosts {
    authority: String,
    loopback: bool,
}

impl Hosts {
    /// Those of a public address.
    pub fn of_public_url(public_url: &str, is_loopback: bool) -> Self {
        let authority = public_url.split_once("://").map_or(public_url, |(_, rest)| rest);
        Self { authority: authority.to_owned(), loopback: is_loopback }
    }

    /// Whether `host` names this server: exactly, or on loopback by any loopback name and port.
    pub fn include(&self, host: &str) -> bool {
        let host = host.to_ascii_lowercase();
        let without_default = host.strip_suffix(":443").unwrap_or(&host);
        let name = host.rsplit_once(':').map_or(host.as_str(), |(name, port)| {
            if port.bytes().all(|b| b.is_ascii_digit()) { name } else { &host }
        });
        let is_local = matches!(name, "localhost" | "127.0.0.1" | "[::1]");
        without_default == self.authority || host == self.authority || (self.loopback && is_local)
    }
}

impl AnswersMcp for McpDoor {
    fn answer<'a>(
        &'a self,
        request: McpRequest,
    ) -> Pin<Box<dyn Future<Output = McpResponse> + Send + 'a>> {
        Box::pin(async move { McpResponse(self.pass(request).await) })
    }

    fn front_door(&self) -> String {
        front_door::html(&self.gatehouse, self.library.page_count())
    }

    fn server_card(&self) -> ServerCard {
        server_card::card(&self.gatehouse, self.server.introduction())
    }

    fn server_json(&self) -> Option<ServerJson> {
        server_card::server_json(&self.gatehouse, self.server.introduction())
    }

    fn pages(&self) -> usize {
        self.library.page_count()
    }
}

impl McpDoor {
    async fn pass(&self, request: McpRequest) -> Response<Bytes> {
        if let Some((refusal, response)) = self.check_site(&request) {
            return self.refused(refusal, response);
        }
        let address = request.visit.address;
        let entry = match self.check_credential(&request).await {
            Ok(entry) => entry,
            Err(response) => return *response,
        };
        if entry.is_some() {
            self.gatehouse.note_signed_in(address);
        } else if self.gatehouse.config.auth == AuthMode::Grace {
            return self.pass_in_grace(request).await;
        }
        let reading = self.count(entry.as_ref(), address);
        if !reading.allowed {
            self.server.note_limited(&request.visit.headers, &caller(entry.as_ref()));
            return self.refused(Limited, refusals::limited(&reading));
        }
        let mut response = self.answer_admitted(request, entry.as_ref()).await;
        refusals::describe_limit(&mut response, &reading);
        response
    }

    /// Without a token, while most still pass.
    async fn pass_in_grace(&self, request: McpRequest) -> Response<Bytes> {
        let (address, headers) = (request.visit.address, request.visit.headers.clone());
        let counted = Counted::address(address);
        let looked = self.gatehouse.limits.mcp_anonymous.look(&counted, self.gatehouse.clock.now());
        // Whoever has used the limit up is judged by the headers: no body of theirs is read.
        let opened = if looked.allowed { Some(self.open(request, None).await) } else { None };
        let read = opened.as_ref().and_then(|opened| opened.as_ref().ok());
        let of_headers = signs_of_headers(&headers);
        let signs = read.map_or(&of_headers, Opened::signs);
        let verdict = self.gatehouse.enforce(Anonymous {
            address,
            client_info: signs.client_info.as_deref(),
            user_agent: signs.user_agent.as_deref(),
            tool: read.and_then(|opened| self.server.tool_called(opened)),
            method: read.map_or("", Opened::kind),
        });
        if verdict == Verdict::MustSignIn {
            let response = refusals::must_sign_in(&self.gatehouse, Challenge::Bare);
            return self.refused(DoorRefusal::MustSignIn, response);
        }
        let (opened, reading) = match opened {
            Some(opened) => (opened, self.count(None, address)),
            None => (Err(Response::default()), looked),
        };
        if !reading.allowed {
            self.server.note_limited(&headers, &caller(None));
            return self.refused(Limited, refusals::limited(&reading));
        }
        let mut response = match opened {
            Ok(opened) => self.answer_opened(opened, None).await,
            Err(refused) => refused,
        };
        refusals::describe_limit(&mut response, &reading);
        response
    }

    fn check_site(&self, request: &McpRequest) -> Option<(DoorRefusal, Response<Bytes>)> {
        let headers = &request.visit.headers;
        // HTTP/2 and absolute-form requests name the host in the target; whatever names it must
        // name us, and something must.
        let named_in_target = request.uri.authority().map(http::uri::Authority::as_str);
        let named_in_headers = headers.get_all(header::HOST).iter();
        let mut named = named_in_headers
            .map(|host| host.to_str().unwrap_or_default())
            .chain(named_in_target)
            .peekable();
        let is_ours = named.peek().is_some() && named.all(|host| self.hosts.include(host));
        if !is_ours && !request.through_trusted_proxy {
            return Some((DoorRefusal::ForeignHost, refusals::misdirected()));
        }
        match self.cors.verdict(headers) {
            OriginVerdict::Acceptable => None,
            OriginVerdict::Foreign => {
                Some((DoorRefusal::ForeignOrigin, refusals::foreign_origin()))
            }
        }
    }

    /// A refusal on its way out.
    fn refused(&self, reason: impl Reason, response: Response<Bytes>) -> Response<Bytes> {
        self.gatehouse.refused(Endpoint::Mcp, &reason);
        response
    }

    /// Who comes in; `None` where reading without a token is allowed.
    async fn check_credential(
        &self,
        request: &McpRequest,
    ) -> Result<Option<Entry>, Box<Response<Bytes>>> {
        let refuse = |refusal| Err(Box::new(self.refuse(refusal, request)));
        let token = match credential(&request.visit.headers) {
            Credential::None => match self.gatehouse.config.auth {
                AuthMode::Enforce => return refuse(AccessRefusal::NoCredentials),
                // Clients probe with GET to learn where to sign in, and people open the address in
                // a browser: both are answered as if sign-in were required.
                _ if request.method != http::Method::POST => {
                    return refuse(AccessRefusal::NoCredentials);
                }
                // What becomes of it is decided, and logged, when it was read.
                AuthMode::Grace => return Ok(None),
                AuthMode::Open => {
                    tracing::info!(flow = "admit", outcome = "anonymous");
                    return Ok(None);
                }
            },
            // Also where anonymous reading is allowed: a client whose token has expired must learn
            // it, or it would silently become nobody.
            Credential::Malformed => return refuse(AccessRefusal::MalformedCredentials),
            Credential::Bearer(token) => token,
        };
        match self.gatehouse.admit(&token).await {
            Ok(Ok(entry)) => Ok(Some(entry)),
            Ok(Err(refusal)) => refuse(refusal),
            Err(fault) => {
                self.gatehouse.failed(Endpoint::Mcp, &fault);
                Err(Box::new(refusals::fault(log_fault("admit", &fault))))
            }
        }
    }

    fn refuse(&self, refusal: AccessRefusal, request: &McpRequest) -> Response<Bytes> {
        // How every client begins; the line of its request says enough.
        if refusal != AccessRefusal::NoCredentials {
            tracing::info!(flow = "admit", outcome = "refused", reason = ?refusal);
        }
        self.gatehouse.refused(Endpoint::Mcp, &refusal);
        match refusal {
            AccessRefusal::WorkEmailRequired(lack) => {
                refusals::work_email_required(&self.gatehouse.config, lack.reason(), lack.advice())
            }
            AccessRefusal::NoCredentials => refusals::unauthenticated(
                &self.gatehouse,
                Challenge::Bare,
                request,
                self.library.page_count(),
            ),
            AccessRefusal::MalformedCredentials
            | AccessRefusal::BadSignature
            | AccessRefusal::WrongType
            | AccessRefusal::WrongIssuer
            | AccessRefusal::WrongAudience
            | AccessRefusal::Expired
            | AccessRefusal::NotYetValid
            | AccessRefusal::Revoked => refusals::unauthenticated(
                &self.gatehouse,
                Challenge::InvalidToken,
                request,
                self.library.page_count(),
            ),
        }
    }

    fn count(&self, entry: Option<&Entry>, address: IpAddr) -> Reading {
        let (now, limits) = (self.gatehouse.clock.now(), &self.gatehouse.limits);
        match entry {
            Some(entry) => limits.mcp.count(Counted::Person(entry.admitted.user_id), now),
            None => limits.mcp_anonymous.count(Counted::address(address), now),
        }
    }

    async fn answer_admitted(&self, request: McpRequest, entry: Option<&Entry>) -> Response<Bytes> {
        match self.open(request, entry).await {
            Ok(opened) => self.answer_opened(opened, entry).await,
            Err(refused) => refused,
        }
    }

    /// Reads the body.
    async fn open(
        &self,
        request: McpRequest,
        entry: Option<&Entry>,
    ) -> Result<Opened, Response<Bytes>> {
        let mut parts = http::Request::new(()).into_parts().0;
        parts.method = request.method.clone();
        parts.uri = request.uri.clone();
        parts.headers.clone_from(&request.visit.headers);
        if entry.is_none() {
            parts.extensions.insert(Connection(self.places.hash_one(request.visit.address)));
        }
        match request.into_body().await {
            McpBody::Read(body) => Ok(self.server.open(parts, &body)),
            McpBody::TooLarge => Err(self.refused(DoorRefusal::TooLarge, refusals::too_large())),
            McpBody::Broken => Err(self.refused(DoorRefusal::BrokenBody, refusals::broken_body())),
        }
    }

    async fn answer_opened(&self, opened: Opened, entry: Option<&Entry>) -> Response<Bytes> {
        match self.server.answer(opened, caller(entry)).await {
            McpAnswer::Response(response) => response,
            McpAnswer::NeedsPerson { required } => {
                let response = refusals::needs_person(&self.gatehouse, required);
                self.refused(DoorRefusal::PersonRequired, response)
            }
            McpAnswer::NeedsScope { required } => {
                let granted = entry.map(|entry| entry.admitted.scope).unwrap_or_default();
                let response = refusals::needs_scope(&self.gatehouse, granted, required);
                self.refused(DoorRefusal::InsufficientScope, response)
            }
        }
    }
}

fn caller(entry: Option<&Entry>) -> Caller {
    let Some(entry) = entry else { return Caller::anonymous() };
    let profile = &entry.profile;
    let scope_names: Vec<_> = entry.admitted.scope.iter().map(Scope::name).collect();
    Caller {
        person: Some(Person {
            subject: entry.admitted.user_id.to_string(),
            name: profile.name.clone(),
            email: profile.email.clone(),
            organization: entry
                .attribution
                .organization
                .as_ref()
                .map(|it| Organization { name: it.name.clone(), source: it.source_in_words() }),
        }),
        scopes: Scopes::from_names(scope_names.iter().copied()),
        client_id: Some(entry.admitted.client_id.clone()),
        grant: Some(Grant { id: entry.admitted.grant_id.to_string(), scopes: scope_names }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_ours_exactly_or_any_loopback_name_on_loopback() {
        let public = Hosts::of_public_url("https://docs.example.com", false);
        for (host, ours) in [
            ("docs.example.com", true),
            ("DOCS.example.com:443", true),
            ("docs.example.com:8443", false),
            ("docs.example.com.evil.com", false),
            ("localhost", false),
            ("", false),
        ] {
            assert_eq!(public.include(host), ours, "{host}");
        }
        let local = Hosts::of_public_url("http://127.0.0.1:8080", true);
        for (host, ours) in [
            ("127.0.0.1:8080", true),
            ("localhost:9999", true),
            ("[::1]:8080", true),
            ("localhost", true),
            ("evil.example", false),
            ("localhost.evil.example:8080", false),
        ] {
            assert_eq!(local.include(host), ours, "{host}");
        }
    }
}
