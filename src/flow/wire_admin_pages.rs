//! The dashboard's pages: the rows of the API as tables, and the overview.

use gatehouse_api::admin::answer::{Problem, Rows};
use gatehouse_api::admin::pages::View;
use gatehouse_api::admin::rows::Person;
use gatehouse_api::page::PageResponse;
use gatehouse_api::visit::Visit;
use http::StatusCode;

use crate::domain::enforcement::Standing;
use crate::flow::Gatehouse;
use crate::flow::own_data::ERASE_WORD;
use crate::flow::wire_admin_entry::{looking, problem_page};
use crate::flow::wire_admin_query::Asked;
use crate::flow::wire_admin_tables as tables;
use crate::flow::wire_admin_views::{Listed, listed};
use crate::flow::{
    wire_admin_attempt_page, wire_admin_attempts, wire_admin_overview, wire_admin_people,
    wire_admin_rights,
};
use crate::page::admin::{
    Button, Cell, EnforcementContext, PersonContext, Shell, Table, TableContext,
    render_enforcement, render_person, render_tables,
};

/// What every page of the dashboard begins with.
struct Looking {
    /// Ties its forms to the session.
    form: String,
    /// What has just been done.
    done: Option<&'static str>,
    /// What else was asked for.
    asked: Asked,
}

/// Who may look at a page gets this far; everybody else gets what stands in its place.
async fn begun(gatehouse: &Gatehouse, visit: &Visit) -> Result<Looking, PageResponse> {
    let by = looking(gatehouse, visit).await?;
    let form = gatehouse.admin_form(&by).unwrap_or_default();
    let mut asked = Asked::of(visit);
    let done = asked.text("done").map_err(|problem| problem_page(gatehouse, &problem))?;
    Ok(Looking { form, done: done.as_deref().and_then(done_in_words), asked })
}

/// `GET /admin/` and `GET /admin/…`
pub async fn dashboard(gatehouse: &Gatehouse, visit: &Visit, view: View) -> PageResponse {
    let Looking { form, done, asked } = match begun(gatehouse, visit).await {
        Ok(looking) => looking,
        Err(instead) => return instead,
    };
    let here = match view {
        View::Overview => "/admin/",
        View::Organizations => "/admin/organizations",
        View::People => "/admin/people",
        View::Clients => "/admin/clients",
        View::Grants => "/admin/grants",
        View::Feedback => "/admin/feedback",
        View::Sinks => "/admin/sinks",
        View::Usage => "/admin/usage",
        View::Gaps => "/admin/gaps",
        View::Attempts => "/admin/attempts",
        View::Audit => "/admin/audit",
        View::Enforcement => "/admin/enforcement",
    };
    let shell = Shell { frame: gatehouse.frame(), form: &form, here, done };
    let html = match view {
        View::Overview => wire_admin_overview::html(gatehouse, shell, asked).await,
        View::Enforcement => enforcement_page(gatehouse, shell, visit, asked).await,
        _ => table_page(gatehouse, shell, visit, asked, view).await,
    };
    html.map_or_else(
        |problem| problem_page(gatehouse, &problem),
        |html| PageResponse::html(StatusCode::OK, html),
    )
}

fn done_in_words(done: &str) -> Option<&'static str> {
    match done {
        "revoked" => Some("Revoked. Access tokens end within 5 seconds."),
        "resumed" => Some("Enforcement goes on. All replicas know within 10 seconds."),
        "not_resumed" => Some("Enforcement was not halted. Nothing was changed."),
        "not_erased" => Some("Nobody was erased: what is asked for was not typed."),
        "requeued" => Some("Queued again. Every running server delivers."),
        _ => None,
    }
}

async fn table_page(
    gatehouse: &Gatehouse,
    shell: Shell<'_>,
    visit: &Visit,
    asked: Asked,
    view: View,
) -> Result<String, Problem> {
    let Listed { lead, filters, tables } = listed(gatehouse, visit, asked, view).await?;
    Ok(render_tables(&TableContext { shell, lead, filters, tables }))
}

async fn enforcement_page(
    gatehouse: &Gatehouse,
    shell: Shell<'_>,
    visit: &Visit,
    asked: Asked,
) -> Result<String, Problem> {
    let shown = wire_admin_rights::shown(gatehouse, visit, asked).await?;
    let resume = Button {
        act: "resume",
        of: String::new(),
        text: "Go on",
        label: "Go on: end the halt of enforcement".to_owned(),
    };
    Ok(render_enforcement(&EnforcementContext {
        shell,
        filters: shown.filters,
        status: &shown.status,
        report: &shown.report,
        resume: (shown.status.standing() == Standing::Halted).then_some(resume),
    }))
}

/// `GET /admin/people/…`
pub async fn person_page(gatehouse: &Gatehouse, visit: &Visit, id: &str) -> PageResponse {
    let Looking { form, done, asked } = match begun(gatehouse, visit).await {
        Ok(looking) => looking,
        Err(instead) => return instead,
    };
    let shell = Shell { frame: gatehouse.frame(), form: &form, here: "/admin/people", done };
    match wire_admin_people::one_person(gatehouse, asked, id).await {
        Ok(found) => {
            let known = &found.person;
            let shows_email = known.email.is_some() || known.name.is_some();
            let is_active = found.grants.iter().any(|grant| grant.active);
            let button = |act, text, label: &str| Button {
                act,
                of: known.id.clone(),
                text,
                label: label.to_owned(),
            };
            let end_all =
                button("revoke_person", "Revoke all grants", "Revoke all grants of this person");
            let grants = Rows { items: found.grants.clone(), next: None };
            let memberships = found.memberships.iter().map(tables::membership).collect();
            let with_email = format!("/admin/people/{}?include=email", known.id);
            let html = render_person(&PersonContext {
                shell,
                facts: facts(known),
                with_email: (!shows_email).then_some(with_email),
                export: button(
                    "export_person",
                    "Export as JSON",
                    "Export as JSON what is kept of this person",
                ),
                erase: button("erase_person", "Erase", "Erase this person"),
                erase_word: ERASE_WORD,
                end_all: is_active.then_some(end_all),
                tables: vec![
                    tables::grants("Grants", grants),
                    Table {
                        title: "Organizations over time",
                        head: &["Organization", "From", "To"],
                        rows: memberships,
                        next: None,
                        csv: None,
                    },
                    tables::disclosures(&found.disclosures),
                    tables::objections(&found.objections),
                ],
            });
            PageResponse::html(StatusCode::OK, html)
        }
        Err(problem) => problem_page(gatehouse, &problem),
    }
}

/// `GET /admin/attempts/…`
pub async fn attempt_page(gatehouse: &Gatehouse, visit: &Visit, reference: &str) -> PageResponse {
    let Looking { form, done, asked } = match begun(gatehouse, visit).await {
        Ok(looking) => looking,
        Err(instead) => return instead,
    };
    let shell = Shell { frame: gatehouse.frame(), form: &form, here: "/admin/attempts", done };
    let found = async {
        asked.finish()?;
        wire_admin_attempts::one_attempt(gatehouse, reference).await
    };
    found.await.map_or_else(
        |problem| problem_page(gatehouse, &problem),
        |found| PageResponse::html(StatusCode::OK, wire_admin_attempt_page::html(shell, &found)),
    )
}

/// What is known of a person, by name.
fn facts(known: &Person) -> Vec<(&'static str, String)> {
    let optional = |name, value: &Option<String>| value.as_ref().map(|value| (name, value.clone()));
    let facts = [
        Some(("Identifier", known.id.clone())),
        optional("Name", &known.name),
        optional("Address", &known.email),
        optional("Domain", &known.email_domain),
        optional("Organization", &known.organization_name),
        optional("Known by", &known.source),
        optional("Confidence", &known.confidence),
        optional("No organization", &known.no_organization),
        Some(("First sign-in", tables::words(&known.first_login_at))),
        Some(("Last sign-in", tables::words(&known.last_login_at))),
    ];
    facts.into_iter().flatten().collect()
}

/// A moment of the API in a cell.
pub fn time(written: &str) -> Cell {
    Cell::Time(written.to_owned(), tables::words(written))
}
