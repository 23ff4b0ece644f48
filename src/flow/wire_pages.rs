//! The pages a browser ends on: each refusal in plain words, with what to do about it.
//!
//! A page never repeats what a request said. Its reference appears in the log beside the reason.

use gatehouse_api::page::PageResponse;
use http::StatusCode;

use crate::domain::audit::reference_of;
use crate::domain::authorization_request::Rejected;
use crate::domain::claimed_name::{Evidence, borrowed_name};
use crate::domain::metadata_document::publisher;
use crate::domain::refusal::{AuthorizeRefusal, CallbackRefusal, ConsentRefusal};
use crate::flow::authorize::{Ask, Authorize};
use crate::flow::callback::CallbackOutcome;
use crate::flow::consent::ConsentOutcome;
use crate::flow::wire::{RETRY_AFTER_SECONDS, log_fault};
use crate::flow::{Fault, Gatehouse, wire_account, wire_admin_entry};
use crate::id::AuthorizationRequestId;
use crate::page::Link;
use crate::page::consent::{self as consent_page, ConsentContext};
use crate::page::notice::{self, NoticeContext};

/// What a page says.
pub struct Words {
    /// Its status.
    pub status: StatusCode,
    /// In a few words.
    pub title: &'static str,
    /// In plain words; never what a request said.
    pub message: &'static str,
    /// What to do.
    pub advice: &'static str,
}

const START_AGAIN: &str = "Go back to your client and connect again.";
const TELL_MAKER: &str = "Update the program, or tell its maker.";
const ADD_AGAIN: &str = "Remove this server in your client and add it again.";

/// Where a page is shown.
#[derive(Clone, Copy, Debug)]
pub struct At {
    /// In which exchange.
    flow: &'static str,
    /// In which attempt to sign in.
    attempt: Option<AuthorizationRequestId>,
}

impl From<&'static str> for At {
    fn from(flow: &'static str) -> Self {
        Self { flow, attempt: None }
    }
}

/// `GET /oauth/authorize`
pub fn authorize(
    gatehouse: &Gatehouse,
    attempt: AuthorizationRequestId,
    outcome: Result<Authorize, Fault>,
) -> PageResponse {
    let at = At { flow: "authorize", attempt: Some(attempt) };
    match outcome {
        Ok(Authorize::Ask(ask)) => ask_page(gatehouse, *ask),
        Ok(Authorize::ToProvider(to)) => see_other(to.location, to.cookies),
        Ok(Authorize::Rejected(Rejected::Page(refusal))) => {
            let words = authorize_words(refusal);
            page(gatehouse, at, &refusal, &words, None)
        }
        Ok(Authorize::Rejected(Rejected::Redirect { to, state, refusal })) => {
            // Nobody has signed in, so the browser is not sent on by itself (RFC 9700 §4.11.2).
            let location = gatehouse.refusal_to(&to, state.as_deref(), refusal);
            let words = authorize_words(refusal);
            let link = Link { href: &location, text: "Tell the program and return to it" };
            page(gatehouse, at, &refusal, &words, Some(link))
        }
        Ok(Authorize::Limited(reading)) => {
            let words = Words {
                status: StatusCode::TOO_MANY_REQUESTS,
                title: "Too many programs at once",
                message: "Many programs that describe themselves elsewhere have asked to connect.",
                advice: "Wait a few minutes, then connect again.",
            };
            page(gatehouse, at, &"limited", &words, None)
                .with_retry_after(reading.retry_after_seconds())
        }
        Err(fault) => fault_page(gatehouse, at, &fault),
    }
}

/// `POST /oauth/consent`
pub fn consent(
    gatehouse: &Gatehouse,
    attempt: Option<AuthorizationRequestId>,
    outcome: Result<ConsentOutcome, Fault>,
) -> PageResponse {
    let at = At { flow: "consent", attempt };
    match outcome {
        Ok(ConsentOutcome::ToProvider(to)) => see_other(to.location, to.cookies),
        Ok(ConsentOutcome::Denied { location }) => {
            let words = authorize_words(AuthorizeRefusal::Denied);
            let link = Link { href: &location, text: "Tell the program and return to it" };
            page(gatehouse, at, &AuthorizeRefusal::Denied, &words, Some(link))
        }
        Ok(ConsentOutcome::Refused(refusal)) => {
            page(gatehouse, at, &refusal, &consent_words(refusal), None)
        }
        Err(fault) => fault_page(gatehouse, at, &fault),
    }
}

/// A consent form that could not be read.
pub fn foreign_form(gatehouse: &Gatehouse) -> PageResponse {
    if gatehouse.upstream.is_none() {
        return fault_page(gatehouse, "consent", &Fault::NoUpstream);
    }
    let refusal = ConsentRefusal::ForeignForm;
    page(gatehouse, "consent", &refusal, &consent_words(refusal), None)
}

/// `GET /mcp/callback`
pub fn callback(
    gatehouse: &Gatehouse,
    attempt: Option<AuthorizationRequestId>,
    outcome: Result<CallbackOutcome, Fault>,
) -> PageResponse {
    let at = At { flow: "callback", attempt };
    match outcome {
        Ok(CallbackOutcome::ToClient { location, cookies }) => see_other(location, cookies),
        Ok(CallbackOutcome::NotSignedIn { refusal, goal, cookies }) => {
            wire_account::not_signed_in(gatehouse, refusal, &goal, cookies)
        }
        Ok(CallbackOutcome::NoAdministrator) => wire_admin_entry::no_administrator(gatehouse),
        Ok(CallbackOutcome::Refused(refusal)) => {
            let response = page(gatehouse, at, &refusal, &callback_words(refusal), None);
            match refusal {
                // Forget whose approval was used, so that the next try asks.
                CallbackRefusal::AnotherPerson => {
                    response.with_cookie(gatehouse.expired_person_cookie())
                }
                CallbackRefusal::MissingState
                | CallbackRefusal::UnknownState
                | CallbackRefusal::AlreadyAnswered
                | CallbackRefusal::ForeignBrowser => response,
            }
        }
        Err(fault) => fault_page(gatehouse, at, &fault),
    }
}

/// On, with cookies.
pub fn see_other(location: String, cookies: Vec<String>) -> PageResponse {
    cookies.into_iter().fold(PageResponse::see_other(location), PageResponse::with_cookie)
}

fn ask_page(gatehouse: &Gatehouse, ask: Ask) -> PageResponse {
    let config = &gatehouse.config;
    let client_name = ask.client.metadata.client_name.as_deref();
    let redirect_uri = ask.request.redirect.as_str();
    let publisher = publisher(&ask.client.client_id);
    let evidence = Evidence {
        redirect_uri,
        target: ask.request.redirect.target(),
        publisher: publisher.as_deref(),
    };
    let html = consent_page::render(&ConsentContext {
        frame: gatehouse.frame(),
        client_name,
        publisher: publisher.as_deref(),
        borrowed_name: client_name.and_then(|name| borrowed_name(name, evidence)),
        redirect_uri,
        redirect_origin: ask.request.redirect.origin(),
        redirect_target: ask.request.redirect.target(),
        scopes: ask.request.scope.iter().collect(),
        resource: gatehouse.resource.as_str(),
        kept: gatehouse.kept(),
        signup_url: config.signup_url.as_ref().map(url::Url::as_str),
        privacy_url: config.privacy_url.as_ref().map(url::Url::as_str),
        sealed_request: &ask.sealed_request,
    });
    PageResponse::html(StatusCode::OK, html).with_cookie(ask.cookie)
}

/// A page, with the reason in the log beside its reference.
pub fn page(
    gatehouse: &Gatehouse,
    at: impl Into<At>,
    reason: &dyn std::fmt::Debug,
    words: &Words,
    link: Option<Link<'_>>,
) -> PageResponse {
    let At { flow, attempt } = at.into();
    let reference = attempt.map_or_else(|| reference(gatehouse), reference_of);
    tracing::info!(flow, outcome = "page", reason = ?reason, reference);
    let html = notice::render(&NoticeContext {
        frame: gatehouse.frame(),
        title: words.title,
        message: words.message,
        advice: words.advice,
        link,
        reference: Some(&reference),
    });
    PageResponse::html(words.status, html)
}

/// A page for what broke.
pub fn fault_page(gatehouse: &Gatehouse, at: impl Into<At>, fault: &Fault) -> PageResponse {
    let at = at.into();
    let words = match fault {
        Fault::NoUpstream => Words {
            status: StatusCode::SERVICE_UNAVAILABLE,
            title: "Sign-in is not set up",
            message: "No identity provider is configured on this server, so nobody can sign in.",
            advice: "Tell whoever runs it.",
        },
        Fault::Upstream(_) => Words {
            status: StatusCode::SERVICE_UNAVAILABLE,
            title: "Sign-in is not available right now",
            message: "The identity provider does not answer as it should.",
            advice: "Reload this page in a moment.",
        },
        // What a callback brings may be spent, so a reload would not help there.
        _ if at.flow == "callback" => Words {
            status: unavailable_or_broken(fault),
            title: "Something is not working",
            message: "This server could not finish the sign-in.",
            advice: START_AGAIN,
        },
        Fault::Store(_) | Fault::Key(_) | Fault::GivenKey(_) | Fault::Delayed => Words {
            status: unavailable_or_broken(fault),
            title: "Something is not working",
            message: "This server could not finish what it was asked.",
            advice: "Reload this page in a moment. If it stays, tell whoever runs this server.",
        },
    };
    // The word is in the line that has the reference; the chain of causes in the next.
    let reason = format!("fault: {}", fault.word());
    let response = page(gatehouse, at, &reason, &words, None);
    if log_fault(at.flow, fault) {
        response.with_retry_after(RETRY_AFTER_SECONDS)
    } else {
        response
    }
}

fn unavailable_or_broken(fault: &Fault) -> StatusCode {
    if fault.is_passing() {
        StatusCode::SERVICE_UNAVAILABLE
    } else {
        StatusCode::INTERNAL_SERVER_ERROR
    }
}

/// What a page is called that belongs to no attempt: as short, and found in the log alone.
fn reference(gatehouse: &Gatehouse) -> String {
    let mut bytes = [0; 4];
    gatehouse.entropy.fill(&mut bytes);
    format!("{:08x}", u32::from_be_bytes(bytes))
}

/// Words for a request that cannot be acted on.
pub const fn bad(title: &'static str, message: &'static str, advice: &'static str) -> Words {
    Words { status: StatusCode::BAD_REQUEST, title, message, advice }
}

/// What a person is told when an authorization ends here.
pub fn authorize_words(refusal: AuthorizeRefusal) -> Words {
    use AuthorizeRefusal as R;
    match refusal {
        R::UnknownClient => bad(
            "This program is not known here",
            "The program that sent you has no registration on this server, or it has expired.",
            ADD_AGAIN,
        ),
        R::MalformedDocumentUrl | R::UnusableDocument | R::UntrustedPublisher => {
            document_words(refusal)
        }
        R::MissingClientId => bad(
            "The program did not say who it is",
            "The address you came with has no client identifier.",
            START_AGAIN,
        ),
        R::MissingRedirectUri | R::UnregisteredRedirectUri => bad(
            "The return address is not registered",
            "The program asked to be answered at an address that it has not registered, so nothing \
             was sent to it.",
            ADD_AGAIN,
        ),
        R::RepeatedParameter => bad(
            "The request is ambiguous",
            "A parameter came more than once, so it is not clear what the program asked for.",
            START_AGAIN,
        ),
        R::StateTooLong
        | R::MissingResponseType
        | R::UnsupportedResponseType
        | R::UnsupportedResponseMode
        | R::MissingCodeChallenge
        | R::UnsupportedChallengeMethod
        | R::MalformedCodeChallenge
        | R::RequestObject
        | R::RequestUri => bad(
            "The program asked in a way this server does not support",
            "It must use the authorization code flow with PKCE (S256).",
            TELL_MAKER,
        ),
        R::UnknownResource => bad(
            "The program asked for something else",
            "It named a resource that is not the documentation of this server.",
            ADD_AGAIN,
        ),
        R::InteractionRequired => bad(
            "You have to decide yourself",
            "The program asked to be let in without a page being shown.",
            START_AGAIN,
        ),
        R::Denied => Words {
            status: StatusCode::OK,
            title: "Access denied",
            message: "You said no. The program got nothing, and nobody was signed in.",
            advice: "You can close this page, or let the program know.",
        },
        R::UpstreamDenied
        | R::UpstreamUntrusted
        | R::UpstreamUnavailable
        | R::WorkEmailRequired => {
            bad("Sign-in did not succeed", "The identity provider did not let you in.", START_AGAIN)
        }
    }
}

fn document_words(refusal: AuthorizeRefusal) -> Words {
    match refusal {
        AuthorizeRefusal::UntrustedPublisher => Words {
            status: StatusCode::FORBIDDEN,
            title: "This program is not allowed here",
            message: "Whoever runs this server does not accept programs of this publisher.",
            advice: "Use another program, or ask whoever runs this server.",
        },
        AuthorizeRefusal::MalformedDocumentUrl => bad(
            "The program gave no usable description of itself",
            "It names itself by an address, but not by one where a description can be.",
            TELL_MAKER,
        ),
        // One text for all that can be wrong with it: which of them it is, is not for strangers.
        _ => bad(
            "The program's description could not be used",
            "It names itself by the address of a description, and this server could not read one \
             there that it can use.",
            "Try again in a moment. If it stays, tell the program's maker.",
        ),
    }
}

fn consent_words(refusal: ConsentRefusal) -> Words {
    match refusal {
        ConsentRefusal::ForeignForm => Words {
            status: StatusCode::FORBIDDEN,
            title: "This form did not come from here",
            message: "The answer could not be read, or not be tied to the page this browser was \
                 shown. Cookies may be blocked, or another site sent it.",
            advice: START_AGAIN,
        },
        ConsentRefusal::Expired => bad(
            "This request has expired",
            "Too much time has passed since the page was shown.",
            START_AGAIN,
        ),
        ConsentRefusal::AlreadyDecided => bad(
            "You have answered this already",
            "Each request is decided once.",
            "If you are not connected yet, go back to your client and connect again.",
        ),
    }
}

fn callback_words(refusal: CallbackRefusal) -> Words {
    match refusal {
        CallbackRefusal::MissingState | CallbackRefusal::UnknownState => bad(
            "This sign-in has expired",
            "It is not known in this browser, or too much time has passed since it began. Cookies \
             may also be blocked.",
            "Go back to your client and connect again, or to the page where you wanted to sign in.",
        ),
        CallbackRefusal::AlreadyAnswered => bad(
            "This sign-in is finished",
            "Each one leads back to the program once.",
            "If you are not connected yet, go back to your client and connect again.",
        ),
        CallbackRefusal::ForeignBrowser => bad(
            "This sign-in began in another browser",
            "Only the browser in which you allowed the program can finish it. Cookies may also be \
             blocked.",
            START_AGAIN,
        ),
        CallbackRefusal::AnotherPerson => bad(
            "Somebody else signed in",
            "The earlier approval in this browser was another person's, so it was not used.",
            "Go back to your client and connect again; you will be asked this time.",
        ),
    }
}
