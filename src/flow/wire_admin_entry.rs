//! Getting into the dashboard and acting in it: flows in, pages and redirects out.

use gatehouse_api::admin::answer::Problem;
use gatehouse_api::admin::pages::ActForm;
use gatehouse_api::page::PageResponse;
use gatehouse_api::visit::Visit;
use http::StatusCode;

use crate::domain::administrators::{AdminRefusal, AdminScope};
use crate::flow::admin_access::Administrator;
use crate::flow::admin_login::{ADMIN_LOGIN_PATH, ADMIN_PATH, AdminEntry, AdminLogin};
use crate::flow::own_data::ERASE_WORD;
use crate::flow::wire_admin::credentials;
use crate::flow::wire_admin_rights::erased_page;
use crate::flow::wire_pages::{Words, bad, fault_page, page, see_other};
use crate::flow::{Fault, Gatehouse};
use crate::id::{GrantId, UserId};
use crate::page::Link;

const SIGN_IN_AGAIN: Link<'_> = Link { href: ADMIN_LOGIN_PATH, text: "Sign in again" };
/// What the file with an export is called.
const PERSON_FILE: &str = "person.json";
const OVERVIEW: Link<'_> = Link { href: ADMIN_PATH, text: "To the overview" };

/// `GET /admin/login`
pub fn login(gatehouse: &Gatehouse, visit: &Visit) -> PageResponse {
    // The browser comes back to the one name in the settings, and its cookie must be there too.
    if let Some(admin_url) = gatehouse.admin_url()
        && let Some((_, authority)) = admin_url.split_once("://")
        && visit.header("host").is_some_and(|host| !host.eq_ignore_ascii_case(authority))
    {
        return see_other(format!("{admin_url}{ADMIN_LOGIN_PATH}"), Vec::new());
    }
    match gatehouse.begin_admin_login() {
        AdminLogin::ToLogin(to) => see_other(to.location, to.cookies),
        AdminLogin::Closed => {
            let words = Words {
                status: StatusCode::FORBIDDEN,
                title: "Nobody administers here yet",
                message: "The setting admins names nobody, so nobody can sign in to these pages.",
                advice: "Set admins, and admin_url where the listener is not on loopback. Programs \
                         use tokens: gatehouse admin token create.",
            };
            page(gatehouse, "admin", &"closed", &words, None)
        }
    }
}

/// `GET /admin/signed-in`
pub async fn signed_in(gatehouse: &Gatehouse, visit: &Visit) -> PageResponse {
    let pairs = visit.query_pairs();
    let mut codes = pairs.iter().filter(|(name, _)| name == "code");
    let code = match (codes.next(), codes.next()) {
        (Some((_, code)), None) => code.as_str(),
        _ => "",
    };
    match gatehouse.enter_admin(code, visit).await {
        Ok(AdminEntry::SignedIn { cookies }) => see_other(ADMIN_PATH.to_owned(), cookies),
        Ok(AdminEntry::Refused(refusal)) => refused(gatehouse, refusal),
        Err(fault) => fault_page(gatehouse, "admin", &fault),
    }
}

/// The end of a sign-in, on the public listener, of somebody who is not listed.
pub fn no_administrator(gatehouse: &Gatehouse) -> PageResponse {
    page(
        gatehouse,
        "admin",
        &AdminRefusal::NotListed,
        &refusal_words(AdminRefusal::NotListed),
        None,
    )
}

/// Who looks at a page, or what they get instead.
pub async fn looking(gatehouse: &Gatehouse, visit: &Visit) -> Result<Administrator, PageResponse> {
    let credentials = credentials(gatehouse, visit, None);
    match gatehouse.administrator(credentials, visit, AdminScope::Read).await {
        Ok(Ok(administrator)) => Ok(administrator),
        Ok(Err(refusal)) => Err(refused(gatehouse, refusal)),
        Err(fault) => Err(fault_page(gatehouse, "admin", &fault)),
    }
}

fn refused(gatehouse: &Gatehouse, refusal: AdminRefusal) -> PageResponse {
    match refusal {
        // Nothing was lost, and there is one thing to do.
        AdminRefusal::NoCredential | AdminRefusal::NoSession => {
            see_other(ADMIN_LOGIN_PATH.to_owned(), Vec::new())
        }
        AdminRefusal::BadToken
        | AdminRefusal::ScopeTooSmall
        | AdminRefusal::NotListed
        | AdminRefusal::StaleLogin => {
            let words = refusal_words(refusal);
            page(gatehouse, "admin", &refusal, &words, Some(SIGN_IN_AGAIN))
        }
        AdminRefusal::ForeignForm => {
            page(gatehouse, "admin", &refusal, &refusal_words(refusal), Some(OVERVIEW))
        }
    }
}

fn refusal_words(refusal: AdminRefusal) -> Words {
    let forbidden =
        |title, message, advice| Words { status: StatusCode::FORBIDDEN, title, message, advice };
    match refusal {
        AdminRefusal::NotListed => forbidden(
            "You are not one of the administrators",
            "The setting admins does not name you, or your address is not verified with the \
             identity provider. Nothing was shown.",
            "Sign in with another account, or ask whoever runs this server.",
        ),
        AdminRefusal::ForeignForm => forbidden(
            "This form did not come from here",
            "It could not be read, or not be tied to the page this browser was shown. Nothing was \
             changed.",
            "Open the page again and repeat what you did.",
        ),
        AdminRefusal::StaleLogin => bad(
            "This sign-in is finished or has expired",
            "Each one counts once, for a minute, in the browser that began it. Cookies may also be \
             blocked.",
            "Sign in again.",
        ),
        AdminRefusal::NoCredential
        | AdminRefusal::NoSession
        | AdminRefusal::BadToken
        | AdminRefusal::ScopeTooSmall => forbidden(
            "You cannot be let in like this",
            "These pages are for browsers that are signed in.",
            "Sign in with your browser.",
        ),
    }
}

/// A page for a problem with what was asked.
pub fn problem_page(gatehouse: &Gatehouse, problem: &Problem) -> PageResponse {
    let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::BAD_REQUEST);
    let words = match status {
        StatusCode::NOT_FOUND => Words {
            status,
            title: "There is no such thing",
            message: "It is gone, or never was.",
            advice: "Go back and look again.",
        },
        status if status.is_server_error() => Words {
            status,
            title: "Something is not working",
            message: "This server could not finish what it was asked.",
            advice: "Reload this page in a moment.",
        },
        status => Words {
            status,
            title: "This list cannot be shown",
            message: "One of the filters is not what it must be.",
            advice: "Go back and choose again.",
        },
    };
    page(gatehouse, "admin", &problem.code, &words, Some(OVERVIEW))
}

/// `POST /admin/act`
pub async fn act(gatehouse: &Gatehouse, visit: &Visit, form: Option<ActForm>) -> PageResponse {
    let Some(form) = form else { return refused(gatehouse, AdminRefusal::ForeignForm) };
    let credentials = credentials(gatehouse, visit, Some(&form.form));
    let by = match gatehouse.administrator(credentials, visit, AdminScope::Write).await {
        Ok(Ok(administrator)) => administrator,
        Ok(Err(refusal)) => return refused(gatehouse, refusal),
        Err(fault) => return fault_page(gatehouse, "admin", &fault),
    };
    if form.act == "sign_out" {
        return signed_out(gatehouse, visit, &by).await;
    }
    match acted(gatehouse, &by, &form).await {
        Ok(Some(done)) => done,
        Ok(None) => problem_page(gatehouse, &crate::flow::wire_admin::not_found()),
        Err(fault) => fault_page(gatehouse, "admin", &fault),
    }
}

/// Not on to the public listener: browsers hold our forms to this origin, redirects included.
async fn signed_out(gatehouse: &Gatehouse, visit: &Visit, by: &Administrator) -> PageResponse {
    match gatehouse.leave_admin(visit).await {
        Ok(cookie) => {
            tracing::info!(flow = "admin", outcome = "signed_out", who = %by.who);
            let words = Words {
                status: StatusCode::OK,
                title: "You are signed out of administration",
                message: "You may still be signed in with the identity provider.",
                advice: "You can close this page.",
            };
            page(gatehouse, "admin", &"signed out", &words, Some(SIGN_IN_AGAIN)).with_cookie(cookie)
        }
        Err(fault) => fault_page(gatehouse, "admin", &fault),
    }
}

/// What the browser gets afterwards; nothing when there is no such act, or nothing to do it to.
async fn acted(
    gatehouse: &Gatehouse,
    by: &Administrator,
    form: &ActForm,
) -> Result<Option<PageResponse>, Fault> {
    let of = form.of.as_deref().unwrap_or_default();
    let to = |location: String| see_other(location, Vec::new());
    let to_person = |person: UserId| to(format!("/admin/people/{person}?done=revoked"));
    Ok(match form.act.as_str() {
        "revoke_grant" => {
            let Some(id) = GrantId::parse(of) else { return Ok(None) };
            gatehouse.revoke_as_admin(by, id).await?.map(|ended| to_person(ended.person))
        }
        "revoke_person" => {
            let Some(id) = UserId::parse(of) else { return Ok(None) };
            gatehouse.revoke_person_as_admin(by, id).await?.map(|ended| to_person(ended.person))
        }
        "redeliver" => {
            let queued = gatehouse.redeliver_as_admin(by, of).await?;
            queued.map(|_| to("/admin/sinks?done=requeued".to_owned()))
        }
        "export_person" => {
            let Some(id) = UserId::parse(of) else { return Ok(None) };
            let exported = gatehouse.export_as_admin(by, id).await?;
            exported.map(|data| PageResponse::download(PERSON_FILE, format!("{data:#}")))
        }
        "erase_person" => {
            let Some(id) = UserId::parse(of) else { return Ok(None) };
            let typed = form.confirm.as_deref().unwrap_or_default();
            if !typed.trim().eq_ignore_ascii_case(ERASE_WORD) {
                return Ok(Some(to(format!("/admin/people/{id}?done=not_erased"))));
            }
            let erased = gatehouse.erase_as_admin(by, id).await?;
            erased.map(|erased| erased_page(gatehouse, &erased))
        }
        "resume" => {
            let resumed = gatehouse.resume_as_admin(by).await?;
            let done = if resumed { "resumed" } else { "not_resumed" };
            Some(to(format!("/admin/enforcement?done={done}")))
        }
        _ => None,
    })
}
