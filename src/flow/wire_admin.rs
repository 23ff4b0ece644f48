//! The admin port: who asks, what they are told, what they do.
//!
//! With `wire_admin_entry` the only file that names both an [`AdminRefusal`] and a code. The match
//! is exhaustive: a new reason does not compile until someone decides what a caller is told.

use gatehouse_api::admin::answer::{Answer, List, Problem};
use gatehouse_api::admin::attempts::{Attempt, AttemptInFull};
use gatehouse_api::admin::pages::{ActForm, View};
use gatehouse_api::admin::port::AdminPort;
use gatehouse_api::admin::reads::PeopleSearch;
use gatehouse_api::admin::rights::{Enforcement, Erased, Requeued, Resumed, Revoked};
use gatehouse_api::admin::rows::{
    Activity, Audit, Client, Delivery, Feedback, Gap, Grant, Me, Organization, Person,
    PersonInFull, Sink, Usage,
};
use gatehouse_api::page::PageResponse;
use gatehouse_api::visit::Visit;
use http::StatusCode;
use poem_openapi::types::Any;
use serde_json::Value;

use crate::domain::administrators::{AdminRefusal, AdminScope};
use crate::flow::admin_access::{AdminCredentials, Administrator, Authorization};
use crate::flow::admin_acts::EndedGrants;
use crate::flow::wire::{Wire, is_cross_site, log_fault};
use crate::flow::wire_admin_query::{Asked, bad};
use crate::flow::{
    Fault, Gatehouse, wire_admin_attempts, wire_admin_audit, wire_admin_counts, wire_admin_entry,
    wire_admin_pages, wire_admin_people, wire_admin_reads, wire_admin_rights,
};
use crate::id::{GrantId, UserId};
use crate::store::StoreError;

/// What ties an API call to a page of the session.
const FORM_HEADER: &str = "x-form-token";

/// Who asks, if they may.
pub async fn admitted(
    gatehouse: &Gatehouse,
    visit: &Visit,
    need: AdminScope,
) -> Result<Administrator, Problem> {
    let credentials = credentials(gatehouse, visit, visit.header(FORM_HEADER));
    match gatehouse.administrator(credentials, visit, need).await {
        Ok(Ok(administrator)) => Ok(administrator),
        Ok(Err(refusal)) => Err(refusal_problem(refusal)),
        Err(fault) => Err(fault_problem(&fault)),
    }
}

/// What a request brought; `form` is what ties it to a page, wherever that stood.
pub fn credentials<'a>(
    gatehouse: &Gatehouse,
    visit: &'a Visit,
    form: Option<&'a str>,
) -> AdminCredentials<'a> {
    let own = gatehouse.config.admin.url.as_deref().unwrap_or_default();
    AdminCredentials {
        authorization: authorization(visit),
        form,
        is_cross_site: is_cross_site(visit, own),
    }
}

fn authorization(visit: &Visit) -> Authorization<'_> {
    if !visit.headers.contains_key("authorization") {
        return Authorization::Absent;
    }
    let bearer = visit.header("authorization").and_then(|value| value.split_once(' '));
    match bearer {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") && !token.is_empty() => {
            Authorization::Bearer(token.trim())
        }
        _ => Authorization::Malformed,
    }
}

fn refusal_problem(refusal: AdminRefusal) -> Problem {
    let (status, code, title) = match refusal {
        AdminRefusal::NoCredential | AdminRefusal::NoSession => (
            StatusCode::UNAUTHORIZED,
            "unauthorized",
            "A token is needed, or a browser that is signed in at /admin/.",
        ),
        AdminRefusal::BadToken | AdminRefusal::StaleLogin => {
            (StatusCode::UNAUTHORIZED, "invalid_token", "The token is none, or is void.")
        }
        AdminRefusal::ScopeTooSmall => {
            (StatusCode::FORBIDDEN, "insufficient_scope", "The token may look and not change.")
        }
        AdminRefusal::NotListed => {
            (StatusCode::FORBIDDEN, "forbidden", "This person is no administrator.")
        }
        AdminRefusal::ForeignForm => (
            StatusCode::FORBIDDEN,
            "foreign_form",
            "In a session, what changes something must carry X-Form-Token from /me.",
        ),
    };
    Problem::new(status, code, title)
}

/// What broke, in the log, and what the caller is told of it.
pub fn fault_problem(fault: &Fault) -> Problem {
    if log_fault("admin", fault) {
        let title = "Something this server needs is down. Try again shortly.";
        Problem::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", title)
    } else {
        let title = "Something broke. The log says what.";
        Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "server_error", title)
    }
}

/// The same of the database.
pub fn broken(error: StoreError) -> Problem {
    fault_problem(&Fault::Store(error))
}

/// There is no such thing.
pub fn not_found() -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "not_found", "There is no such thing.")
}

fn answer<T>(result: Result<T, Problem>) -> Answer<T> {
    match result {
        Ok(found) => Answer::Found(found),
        Err(problem) => Answer::Problem(problem),
    }
}

/// A list, once who asks may have it and its form is known: `list!(self, visit, asked => …)`.
///
/// A macro for the same reason as `transact!`: the future must be `Send` while it borrows.
macro_rules! list {
    ($wire:expr, $visit:expr, $asked:ident => $read:expr) => {{
        let found = async {
            admitted(&$wire.gatehouse, &$visit, AdminScope::Read).await?;
            let mut $asked = Asked::of(&$visit);
            let form = $asked.form()?;
            Ok(($read.await?, form))
        };
        match found.await {
            Ok((rows, form)) => List::Found(rows, form),
            Err(problem) => List::Problem(problem),
        }
    }};
}

fn person_of(id: &str) -> Result<UserId, Problem> {
    UserId::parse(id).ok_or_else(|| bad("id", "It is no identifier of ours."))
}

fn revoked(ended: EndedGrants) -> Revoked {
    Revoked { grants: ended.grants.iter().map(ToString::to_string).collect() }
}

impl AdminPort for Wire {
    async fn me(&self, visit: Visit) -> Answer<Me> {
        let admitted = admitted(&self.gatehouse, &visit, AdminScope::Read).await;
        answer(admitted.map(|administrator| Me {
            who: administrator.who.to_string(),
            scope: administrator.scope.name().to_owned(),
            form: self.gatehouse.admin_form(&administrator),
        }))
    }

    async fn clients(&self, visit: Visit) -> List<Client> {
        list!(self, visit, asked => wire_admin_reads::clients(&self.gatehouse, asked))
    }

    async fn client(&self, visit: Visit, id: String) -> Answer<Client> {
        answer(
            async {
                admitted(&self.gatehouse, &visit, AdminScope::Read).await?;
                wire_admin_reads::one_client(&self.gatehouse, &id).await
            }
            .await,
        )
    }

    async fn grants(&self, visit: Visit) -> List<Grant> {
        list!(self, visit, asked => wire_admin_reads::grants(&self.gatehouse, asked))
    }

    async fn revoke_grant(&self, visit: Visit, id: String) -> Answer<Revoked> {
        answer(
            async {
                let by = admitted(&self.gatehouse, &visit, AdminScope::Write).await?;
                let id = GrantId::parse(&id);
                let id = id.ok_or_else(|| bad("id", "It is no identifier of ours."))?;
                let ended = self.gatehouse.revoke_as_admin(&by, id).await;
                ended.map_err(|fault| fault_problem(&fault))?.map(revoked).ok_or_else(not_found)
            }
            .await,
        )
    }

    async fn people(&self, visit: Visit) -> List<Person> {
        list!(self, visit, asked => wire_admin_people::people(&self.gatehouse, asked))
    }

    async fn search_people(&self, visit: Visit, search: Option<PeopleSearch>) -> List<Person> {
        list!(self, visit, asked => {
            wire_admin_people::with_address(&self.gatehouse, asked, search)
        })
    }

    async fn person(&self, visit: Visit, id: String) -> Answer<PersonInFull> {
        answer(
            async {
                admitted(&self.gatehouse, &visit, AdminScope::Read).await?;
                wire_admin_people::one_person(&self.gatehouse, Asked::of(&visit), &id).await
            }
            .await,
        )
    }

    async fn revoke_person(&self, visit: Visit, id: String) -> Answer<Revoked> {
        answer(
            async {
                let by = admitted(&self.gatehouse, &visit, AdminScope::Write).await?;
                let ended = self.gatehouse.revoke_person_as_admin(&by, person_of(&id)?).await;
                ended.map_err(|fault| fault_problem(&fault))?.map(revoked).ok_or_else(not_found)
            }
            .await,
        )
    }

    async fn export_person(&self, visit: Visit, id: String) -> Answer<Any<Value>> {
        answer(
            async {
                let by = admitted(&self.gatehouse, &visit, AdminScope::Write).await?;
                let exported = self.gatehouse.export_as_admin(&by, person_of(&id)?).await;
                exported.map_err(|fault| fault_problem(&fault))?.map(Any).ok_or_else(not_found)
            }
            .await,
        )
    }

    async fn erase_person(&self, visit: Visit, id: String) -> Answer<Erased> {
        answer(
            async {
                let by = admitted(&self.gatehouse, &visit, AdminScope::Write).await?;
                let erased = self.gatehouse.erase_as_admin(&by, person_of(&id)?).await;
                let erased = erased.map_err(|fault| fault_problem(&fault))?;
                erased.map(wire_admin_rights::erased).ok_or_else(not_found)
            }
            .await,
        )
    }

    async fn enforcement(&self, visit: Visit) -> Answer<Enforcement> {
        answer(
            async {
                admitted(&self.gatehouse, &visit, AdminScope::Read).await?;
                wire_admin_rights::enforcement(&self.gatehouse, Asked::of(&visit)).await
            }
            .await,
        )
    }

    async fn resume(&self, visit: Visit) -> Answer<Resumed> {
        answer(
            async {
                let by = admitted(&self.gatehouse, &visit, AdminScope::Write).await?;
                let resumed = self.gatehouse.resume_as_admin(&by).await;
                resumed.map(|resumed| Resumed { resumed }).map_err(|fault| fault_problem(&fault))
            }
            .await,
        )
    }

    async fn organizations(&self, visit: Visit) -> List<Organization> {
        list!(self, visit, asked => wire_admin_reads::organizations(&self.gatehouse, asked))
    }

    async fn feedback(&self, visit: Visit) -> List<Feedback> {
        list!(self, visit, asked => wire_admin_reads::feedback(&self.gatehouse, asked))
    }

    async fn sinks(&self, visit: Visit) -> List<Sink> {
        list!(self, visit, asked => wire_admin_reads::sinks(&self.gatehouse, asked))
    }

    async fn deliveries(&self, visit: Visit) -> List<Delivery> {
        list!(self, visit, asked => wire_admin_reads::deliveries(&self.gatehouse, asked))
    }

    async fn redeliver(&self, visit: Visit, name: String) -> Answer<Requeued> {
        answer(
            async {
                let by = admitted(&self.gatehouse, &visit, AdminScope::Write).await?;
                let queued = self.gatehouse.redeliver_as_admin(&by, &name).await;
                let queued = queued.map_err(|fault| fault_problem(&fault))?;
                queued.map(|deliveries| Requeued { deliveries }).ok_or_else(not_found)
            }
            .await,
        )
    }

    async fn audit(&self, visit: Visit) -> List<Audit> {
        list!(self, visit, asked => wire_admin_audit::audit(&self.gatehouse, asked))
    }

    async fn attempts(&self, visit: Visit) -> List<Attempt> {
        list!(self, visit, asked => wire_admin_attempts::attempts(&self.gatehouse, asked))
    }

    async fn attempt(&self, visit: Visit, reference: String) -> Answer<AttemptInFull> {
        answer(
            async {
                admitted(&self.gatehouse, &visit, AdminScope::Read).await?;
                wire_admin_attempts::one_attempt(&self.gatehouse, &reference).await
            }
            .await,
        )
    }

    async fn activity(&self, visit: Visit) -> List<Activity> {
        list!(self, visit, asked => wire_admin_counts::activity(&self.gatehouse, asked))
    }

    async fn usage(&self, visit: Visit) -> List<Usage> {
        list!(self, visit, asked => wire_admin_counts::usage(&self.gatehouse, asked))
    }

    async fn gaps(&self, visit: Visit) -> List<Gap> {
        list!(self, visit, asked => wire_admin_counts::gaps(&self.gatehouse, asked))
    }

    async fn dashboard(&self, visit: Visit, view: View) -> PageResponse {
        wire_admin_pages::dashboard(&self.gatehouse, &visit, view).await
    }

    async fn person_page(&self, visit: Visit, id: String) -> PageResponse {
        wire_admin_pages::person_page(&self.gatehouse, &visit, &id).await
    }

    async fn attempt_page(&self, visit: Visit, reference: String) -> PageResponse {
        wire_admin_pages::attempt_page(&self.gatehouse, &visit, &reference).await
    }

    async fn act(&self, visit: Visit, form: Option<ActForm>) -> PageResponse {
        wire_admin_entry::act(&self.gatehouse, &visit, form).await
    }

    async fn admin_login(&self, visit: Visit) -> PageResponse {
        wire_admin_entry::login(&self.gatehouse, &visit)
    }

    async fn admin_signed_in(&self, visit: Visit) -> PageResponse {
        wire_admin_entry::signed_in(&self.gatehouse, &visit).await
    }
}
