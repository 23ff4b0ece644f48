//! A person's own pages and the browser login, as the api sees them: flows in, pages out.
//!
//! Exhaustive like `wire_pages`: a new reason does not compile until someone decides what a person
//! is told.

use gatehouse_api::account::{
    DisconnectForm, LogoutForm, Session, SessionError, SessionErrorCode, SessionResponse,
};
use gatehouse_api::page::PageResponse;
use gatehouse_api::visit::Visit;
use http::StatusCode;
use poem_openapi::payload::Json;

use crate::domain::organization::{Attribution, Lack};
use crate::domain::refusal::{AccountRefusal, AuthorizeRefusal, ReturnRefusal};
use crate::domain::return_to::ReturnTo;
use crate::flow::account::{Account, Connection, Disconnect, Overview, PresentedDisconnect};
use crate::flow::admin_login::ADMIN_LOGIN_PATH;
use crate::flow::browser_login::{ACCOUNT_PATH, Goal, Login};
use crate::flow::browser_session::SignedIn;
use crate::flow::logout::{LOGOUT_PATH, Logout, LogoutPage, PresentedLogout};
use crate::flow::wire::{RETRY_AFTER_SECONDS, is_cross_site, log_fault};
use crate::flow::wire_pages::{Words, authorize_words, bad, fault_page, page, see_other};
use crate::flow::{Fault, Gatehouse, wire_own_data};
use crate::id::GrantId;
use crate::page::account::{
    self as account_page, AccountContext, Asked, ConnectionShown, OrganizationShown, Paths,
    PersonShown,
};
use crate::page::logout as logout_page_of;
use crate::page::sharing::SharingPaths;
use crate::page::{Link, moment};
use crate::store::grants::Ended;

/// Where the form that disconnects goes, below `pages_path`.
const DISCONNECT_PATH: &str = "/account/disconnect";

const TRY_AGAIN: &str = "Go back to where you came from and try again.";

/// `GET /account`
pub async fn account(gatehouse: &Gatehouse, visit: &Visit) -> PageResponse {
    let pairs = visit.query_pairs();
    let value = |name: &str| pairs.iter().find(|(key, _)| key == name).map(|(_, v)| v.as_str());
    match gatehouse.account(visit).await {
        Ok(Account::SignedIn(overview)) => {
            let html = overview_page(gatehouse, &overview, value("disconnect"), done(&value));
            let cookies = overview.signed_in.cookie.into_iter();
            cookies.fold(PageResponse::html(StatusCode::OK, html), PageResponse::with_cookie)
        }
        Ok(Account::SignedOut) => {
            let asked = value("disconnect").and_then(GrantId::parse);
            signed_out_page(gatehouse, StatusCode::OK, asked, None)
        }
        Err(fault) => fault_page(gatehouse, "account", &fault),
    }
}

/// `POST /account/disconnect`
pub async fn disconnect(
    gatehouse: &Gatehouse,
    visit: &Visit,
    form: Option<DisconnectForm>,
) -> PageResponse {
    let Some(form) = form else {
        return refused(gatehouse, "account", AccountRefusal::ForeignForm);
    };
    let presented = PresentedDisconnect {
        form: &form.form,
        grant: &form.grant,
        is_cross_site: is_cross_site(visit, &gatehouse.config.public_url),
    };
    match gatehouse.disconnect(presented, visit).await {
        Ok(Disconnect::Done { ended, cookies }) => {
            let done = match ended {
                Ended::One(_) => "one",
                Ended::All => "all",
            };
            let account = gatehouse.config.page_path(ACCOUNT_PATH);
            see_other(format!("{account}?disconnected={done}"), cookies)
        }
        Ok(Disconnect::SignedOut) => {
            let note = "You are not signed in any more, so nothing was done.";
            signed_out_page(gatehouse, StatusCode::FORBIDDEN, None, Some(note))
        }
        Ok(Disconnect::Refused(refusal)) => refused(gatehouse, "account", refusal),
        Err(fault) => fault_page(gatehouse, "account", &fault),
    }
}

/// `GET /login`
pub async fn login(gatehouse: &Gatehouse, visit: &Visit) -> PageResponse {
    match gatehouse.log_in(&visit.query_pairs(), visit).await {
        Ok(Login::ToProvider(to)) => see_other(to.location, to.cookies),
        Ok(Login::Back { location, cookies }) => see_other(location, cookies),
        Ok(Login::Refused(refusal)) => nowhere(gatehouse, "login", refusal),
        Err(fault) => fault_page(gatehouse, "login", &fault),
    }
}

/// The end of a browser login that signed nobody in.
pub fn not_signed_in(
    gatehouse: &Gatehouse,
    refusal: AuthorizeRefusal,
    goal: &Goal,
    cookies: Vec<String>,
) -> PageResponse {
    let words = match refusal {
        AuthorizeRefusal::WorkEmailRequired => Words {
            status: StatusCode::FORBIDDEN,
            title: "A work address is required",
            message: "Addresses at free or disposable mail providers are not accepted here.",
            advice: "Sign in with an address at your organization.",
        },
        AuthorizeRefusal::UpstreamUnavailable => Words {
            status: StatusCode::SERVICE_UNAVAILABLE,
            title: "Sign-in is not available right now",
            message: "The identity provider does not answer as it should.",
            advice: "Try again in a moment.",
        },
        other => Words { advice: "You can try again.", ..authorize_words(other) },
    };
    let again = match goal {
        Goal::Place(return_to) => login_path(gatehouse, return_to.as_str()),
        Goal::Admin(_) => {
            format!("{}{ADMIN_LOGIN_PATH}", gatehouse.admin_url().unwrap_or_default())
        }
    };
    let link = Link { href: &again, text: "Try again" };
    let response = page(gatehouse, "login", &refusal, &words, Some(link));
    cookies.into_iter().fold(response, PageResponse::with_cookie)
}

/// `GET /session`
pub async fn session(gatehouse: &Gatehouse, visit: &Visit) -> SessionResponse {
    let error = |error| Json(SessionError { error });
    match gatehouse.signed_in(visit, gatehouse.clock.now()).await {
        // Who would not be let in now is nobody to a site, whatever the rule was then.
        Ok(signed_in) => match signed_in.filter(|it| it.is_let_in) {
            Some(signed_in) => {
                let cookie = signed_in.cookie.clone();
                SessionResponse::Known(Json(session_of(signed_in)), cookie)
            }
            None => SessionResponse::Known(Json(Session::default()), None),
        },
        Err(fault) if log_fault("session", &fault) => SessionResponse::Unavailable(
            error(SessionErrorCode::TemporarilyUnavailable),
            RETRY_AFTER_SECONDS,
        ),
        Err(_) => SessionResponse::Broken(error(SessionErrorCode::ServerError)),
    }
}

fn session_of(signed_in: SignedIn) -> Session {
    let profile = signed_in.profile;
    Session {
        signed_in: true,
        sub: Some(signed_in.user_id.to_string()),
        name: profile.name,
        organization: signed_in.attribution.organization.map(|it| it.name),
        email: profile.email,
        expires_at: Some(signed_in.expires_at.seconds()),
    }
}

/// `GET /logout`
pub async fn logout_page(gatehouse: &Gatehouse, visit: &Visit) -> PageResponse {
    match gatehouse.logout_page(&visit.query_pairs(), visit).await {
        Ok(LogoutPage::Ask { form, return_to, cookies }) => {
            let html = logout_page_of::render(&logout_page_of::LogoutContext {
                frame: gatehouse.frame(),
                action: &gatehouse.config.page_path(LOGOUT_PATH),
                form: &form,
                return_to: return_to.as_ref().map(ReturnTo::as_str),
                account: &gatehouse.config.page_path(ACCOUNT_PATH),
            });
            let page = PageResponse::html(StatusCode::OK, html);
            cookies.into_iter().fold(page, PageResponse::with_cookie)
        }
        Ok(LogoutPage::SignedOut { return_to }) => logged_out(gatehouse, return_to.as_ref()),
        Ok(LogoutPage::Back { location }) => see_other(location, Vec::new()),
        Ok(LogoutPage::Refused(refusal)) => nowhere(gatehouse, "logout", refusal),
        Err(fault) => fault_page(gatehouse, "logout", &fault),
    }
}

/// `POST /logout`
pub async fn logout(
    gatehouse: &Gatehouse,
    visit: &Visit,
    form: Option<LogoutForm>,
) -> PageResponse {
    let Some(form) = form else {
        return refused(gatehouse, "logout", AccountRefusal::ForeignForm);
    };
    let presented = PresentedLogout {
        form: &form.form,
        return_to: form.return_to.as_deref(),
        is_cross_site: is_cross_site(visit, &gatehouse.config.public_url),
    };
    match gatehouse.log_out(presented, visit).await {
        Ok(Logout::Done { location, cookies }) => see_other(location, cookies),
        Ok(Logout::SignedOut) => logged_out(gatehouse, None),
        Ok(Logout::Refused(refusal)) => refused(gatehouse, "logout", refusal),
        Ok(Logout::Nowhere(refusal)) => nowhere(gatehouse, "logout", refusal),
        Err(fault) => fault_page(gatehouse, "logout", &fault),
    }
}

fn logged_out(gatehouse: &Gatehouse, return_to: Option<&ReturnTo>) -> PageResponse {
    let return_to = return_to.map(ReturnTo::as_str);
    let context = logout_page_of::SignedOutContext { frame: gatehouse.frame(), return_to };
    PageResponse::html(StatusCode::OK, logout_page_of::render_signed_out(&context))
}

/// What has just been done, by the query.
fn done<'a>(value: &impl Fn(&str) -> Option<&'a str>) -> Option<&'static str> {
    match (value("disconnected"), value("sharing")) {
        (Some("one"), _) => Some("The program is disconnected."),
        (Some("all"), _) => Some("All programs are disconnected."),
        (_, Some("objected")) => Some("It is told nothing more of you."),
        (_, Some("allowed")) => Some("It is told of you again."),
        _ => None,
    }
}

/// The page of somebody who is signed in; `asked` is as the query has it.
fn overview_page(
    gatehouse: &Gatehouse,
    overview: &Overview<'_>,
    asked: Option<&str>,
    done: Option<&str>,
) -> String {
    let config = &gatehouse.config;
    let profile = &overview.signed_in.profile;
    let wanted = |id: GrantId| overview.connections.iter().find(|it| it.grant.id == id);
    let (account, disconnect, logout) = (
        config.page_path(ACCOUNT_PATH),
        config.page_path(DISCONNECT_PATH),
        config.page_path(LOGOUT_PATH),
    );
    let own = wire_own_data::PATHS;
    let (sharing, export, erase) =
        (config.page_path(own.sharing), config.page_path(own.export), config.page_path(own.erase));
    let own = SharingPaths { sharing: &sharing, export: &export, erase: &erase };
    account_page::render(&AccountContext {
        frame: gatehouse.frame(),
        person: PersonShown {
            name: profile.name.as_deref(),
            email: profile.email.as_deref(),
            organization: organization_shown(&overview.signed_in.attribution),
        },
        connections: overview.connections.iter().map(shown).collect(),
        done,
        asked: match asked {
            None => Asked::Nothing,
            Some(id) => GrantId::parse(id)
                .and_then(wanted)
                .map_or(Asked::Unknown, |connection| Asked::About(shown(connection))),
        },
        kept: gatehouse.kept(),
        sharing: wire_own_data::shown(&overview.sharing, &overview.form, own),
        privacy_url: config.privacy_url.as_ref().map(url::Url::as_str),
        form: &overview.form,
        paths: Paths { account: &account, disconnect: &disconnect, logout: &logout },
    })
}

fn organization_shown(attribution: &Attribution) -> OrganizationShown<'_> {
    match (&attribution.organization, attribution.lack) {
        (Some(it), _) => OrganizationShown::Known { name: &it.name, source: it.source_in_words() },
        (None, Some(Lack::FreeMail | Lack::Disposable)) => OrganizationShown::PersonalAddress,
        (None, Some(Lack::Unknown) | None) => OrganizationShown::Unknown,
    }
}

fn shown(connection: &Connection) -> ConnectionShown<'_> {
    ConnectionShown {
        id: connection.grant.id.to_string(),
        client_name: connection.client_name.as_deref(),
        publisher: connection.publisher.as_deref(),
        scopes: connection.grant.scope.iter().collect(),
        connected_at: moment::in_words(connection.grant.created_at.seconds()),
        last_used_at: moment::in_words(connection.grant.last_used_at.seconds()),
    }
}

/// The page of somebody who is not signed in; `asked` is what they wanted to disconnect.
pub fn signed_out_page(
    gatehouse: &Gatehouse,
    status: StatusCode,
    asked: Option<GrantId>,
    note: Option<&str>,
) -> PageResponse {
    let config = &gatehouse.config;
    if gatehouse.upstream.is_none() {
        return fault_page(gatehouse, "account", &Fault::NoUpstream);
    }
    let account = config.page_url(ACCOUNT_PATH);
    let back = match asked {
        Some(id) => format!("{account}?disconnect={id}"),
        None => account,
    };
    let html = account_page::render_signed_out(&account_page::SignedOutContext {
        frame: gatehouse.frame(),
        note,
        kept: gatehouse.kept(),
        privacy_url: config.privacy_url.as_ref().map(url::Url::as_str),
        login: &login_path(gatehouse, &back),
    });
    PageResponse::html(status, html)
}

fn login_path(gatehouse: &Gatehouse, return_to: &str) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.append_pair("return_to", return_to);
    format!("{}?{}", gatehouse.config.page_path("/login"), query.finish())
}

/// What a person is told whose form was not acted on.
pub fn refused(gatehouse: &Gatehouse, flow: &'static str, refusal: AccountRefusal) -> PageResponse {
    let words = match refusal {
        AccountRefusal::ForeignForm => Words {
            status: StatusCode::FORBIDDEN,
            title: "This form did not come from here",
            message: "It could not be read, or not be tied to the page this browser was shown. \
                      Somebody else may have signed in since, or another site sent it.",
            advice: "Open the page again and repeat what you did.",
        },
        AccountRefusal::UnknownConnection => bad(
            "There is no such connection",
            "The program is not one that you connected, or its record is gone.",
            "Open your account page again to see what is connected.",
        ),
        AccountRefusal::UnknownSink => bad(
            "There is no such receiver",
            "The form names nobody who is told of people here.",
            "Open your account page again to see who is.",
        ),
        AccountRefusal::RequiredSink => Words {
            status: StatusCode::FORBIDDEN,
            title: "You cannot object to this one",
            message: "Whoever runs this server says that it is required to use it.",
            advice: "You can have yourself erased instead, on your account page.",
        },
        AccountRefusal::NotConfirmed => bad(
            "Nothing was erased",
            "What the page asks to be typed was not typed.",
            "Go back, type it, and send the form again.",
        ),
        AccountRefusal::NotRecent => Words {
            status: StatusCode::FORBIDDEN,
            title: "Sign in again first",
            message: "You signed in too long ago for that, and somebody else might sit here now. \
                      Nothing was erased.",
            advice: "Sign out, sign in again, and erase yourself within 15 minutes.",
        },
    };
    let again = gatehouse.config.page_path(LOGOUT_PATH);
    let link = Link { href: &again, text: "Sign out" };
    let link = (refusal == AccountRefusal::NotRecent).then_some(link);
    page(gatehouse, flow, &refusal, &words, link)
}

fn nowhere(gatehouse: &Gatehouse, flow: &'static str, refusal: ReturnRefusal) -> PageResponse {
    let words = match refusal {
        ReturnRefusal::Missing => bad(
            "It is not clear where you want to go",
            "The address you came with names no place to return to, or more than one.",
            TRY_AGAIN,
        ),
        ReturnRefusal::Malformed | ReturnRefusal::Foreign => bad(
            "That place is not known here",
            "The address you came with would lead to a site that this server does not send people \
             to.",
            "If you run that site, ask whoever runs this server to list it.",
        ),
    };
    page(gatehouse, flow, &refusal, &words, None)
}
