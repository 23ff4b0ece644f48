//! The lists of the admin API as tables of the dashboard.

use gatehouse_api::admin::answer::Rows;
use gatehouse_api::admin::rights::{Disclosure, Objection};
use gatehouse_api::admin::rows::{
    Client, Delivery, Feedback, Gap, Grant, Membership, Organization, Person, Sink, Usage,
};

use crate::flow::wire_admin_pages::time;
use crate::page::admin::{Button, Cell, Table};

const GRANT_HEAD: &[&str] =
    &["Program", "Person", "Works", "Connected", "Last used", "Ended", "To do"];

/// A table without links.
pub fn table(
    title: &'static str,
    head: &'static [&'static str],
    rows: Vec<Vec<Cell>>,
) -> Table<'static> {
    Table { title, head, rows, next: None, csv: None }
}

/// A text, or nothing.
pub fn text(text: impl Into<Option<String>>) -> Cell {
    text.into().map_or(Cell::Nothing, Cell::Text)
}

/// The page of a person.
pub fn person_link(id: &str) -> Cell {
    // The end of an identifier is its random part.
    let short: String = id.chars().skip(id.len().saturating_sub(8)).collect();
    Cell::Link(format!("/admin/people/{id}"), format!("…{short}"))
}

/// A moment of the API as people write it.
pub fn words(written: &str) -> String {
    written.chars().take("2027-01-15T08:00".len()).map(|c| if c == 'T' { ' ' } else { c }).collect()
}

/// Organizations.
pub fn organizations(rows: Rows<Organization>) -> Table<'static> {
    let row = |it: Organization| {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        let query = query.append_pair("organization", &it.key).finish();
        let people = format!("/admin/people?{query}");
        vec![
            Cell::Link(people, it.name),
            Cell::Number(it.people),
            text(it.domain),
            Cell::Code(it.key),
            time(&it.created_at),
        ]
    };
    let head = &["Organization", "People", "Domain", "Key", "First seen"];
    table("Organizations", head, rows.items.into_iter().map(row).collect())
}

/// People.
pub fn people(rows: Rows<Person>) -> Table<'static> {
    let row = |it: Person| {
        let none = it.no_organization.map(|why| format!("none ({})", why.replace('_', " ")));
        vec![
            person_link(&it.id),
            text(it.organization_name.or(none)),
            text(it.confidence),
            text(it.email_domain),
            time(&it.first_login_at),
            time(&it.last_login_at),
        ]
    };
    let head = &["Person", "Organization", "Confidence", "Domain", "First sign-in", "Last sign-in"];
    table("People", head, rows.items.into_iter().map(row).collect())
}

/// Programs.
pub fn clients(rows: Rows<Client>) -> Table<'static> {
    let row = |it: Client| {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        let query = query.append_pair("client", &it.client_id).finish();
        let name = it.name.unwrap_or_else(|| "without a name".to_owned());
        vec![
            Cell::Link(format!("/admin/grants?{query}"), name),
            Cell::Number(it.grants),
            Cell::Code(it.client_id),
            text(it.redirect_uris.join(" ")),
            time(&it.created_at),
            time(&it.last_used_at),
        ]
    };
    let head = &["Program", "Grants", "Identifier", "Answered at", "First seen", "Last used"];
    table("Programs", head, rows.items.into_iter().map(row).collect())
}

/// Grants, each that works with a button that ends it.
pub fn grants(title: &'static str, rows: Rows<Grant>) -> Table<'static> {
    let row = |it: Grant| {
        let name = it.client_name.unwrap_or(it.client_id);
        let button = Button {
            act: "revoke_grant",
            of: it.id,
            text: "Revoke",
            label: format!("Revoke {name}, connected {}", words(&it.created_at)),
        };
        let ended = match (it.revoked_at, it.revoked_reason) {
            (Some(at), Some(why)) => text(format!("{}, {}", words(&at), why.replace('_', " "))),
            _ => Cell::Nothing,
        };
        vec![
            text(name),
            person_link(&it.person),
            text(if it.active { "yes" } else { "no" }.to_owned()),
            time(&it.created_at),
            time(&it.last_used_at),
            ended,
            if it.active { Cell::Button(button) } else { Cell::Nothing },
        ]
    };
    table(title, GRANT_HEAD, rows.items.into_iter().map(row).collect())
}

/// Feedback.
pub fn feedback(rows: Rows<Feedback>) -> Table<'static> {
    let row = |it: Feedback| {
        let page = it.page_url.map(|url| match it.page_is_foreign {
            Some(true) => format!("{url} (elsewhere)"),
            Some(false) | None => url,
        });
        vec![
            time(&it.created_at),
            text(it.category),
            text(page),
            person_link(&it.person),
            text(it.delivery),
            text(it.text),
        ]
    };
    let head = &["Came", "About", "Page", "Person", "Delivery", "What they wrote"];
    table("Feedback", head, rows.items.into_iter().map(row).collect())
}

/// Calls of tools.
pub fn usage(rows: Rows<Usage>) -> Table<'static> {
    let millis = |millis: Option<u64>| {
        millis.map_or(Cell::Nothing, |it| Cell::Number(i64::try_from(it).unwrap_or(i64::MAX)))
    };
    let row = |it: Usage| {
        let key = if it.key.is_empty() { "not known".to_owned() } else { it.key };
        vec![
            text(key),
            Cell::Number(it.calls),
            it.people.map_or(Cell::Nothing, Cell::Number),
            millis(it.p50_ms),
            millis(it.p95_ms),
        ]
    };
    let head = &["By", "Calls", "People", "Half within, ms", "95 of 100 within, ms"];
    table("Usage", head, rows.items.into_iter().map(row).collect())
}

/// What was not found.
pub fn gaps(rows: Rows<Gap>) -> Table<'static> {
    let number = |it: u64| Cell::Number(i64::try_from(it).unwrap_or(i64::MAX));
    let row = |it: Gap| {
        let asked = it.queries.into_iter().chain(it.contexts).flatten();
        let asked: Vec<_> = asked.collect();
        vec![
            text(it.topic),
            Cell::Number(i64::try_from(it.organizations.len()).unwrap_or(i64::MAX)),
            number(it.searches),
            number(it.empty),
            number(it.weak),
            number(it.reformulated),
            text(it.last_day),
            text(asked.join("; ")),
        ]
    };
    let head = &[
        "About",
        "Organizations",
        "Searches",
        "Without result",
        "Weak result",
        "Asked again",
        "Last day",
        "What was asked",
    ];
    table("Gaps", head, rows.items.into_iter().map(row).collect())
}

/// Receivers.
pub fn sinks(rows: Rows<Sink>) -> Table<'static> {
    let row = |it: Sink| {
        let button = Button {
            act: "redeliver",
            text: "Queue again",
            label: format!("Queue again what was given up for {}", it.name),
            of: it.name.clone(),
        };
        let name = if it.configured { it.name } else { format!("{} (not configured)", it.name) };
        vec![
            text(name),
            text(it.host),
            text(it.purpose),
            text(Some(it.fields.join(", ")).filter(|fields| !fields.is_empty())),
            Cell::Number(it.waiting),
            Cell::Number(it.delivered),
            Cell::Number(it.failed),
            it.last_delivered_at.as_deref().map_or(Cell::Nothing, time),
            if it.failed > 0 { Cell::Button(button) } else { Cell::Nothing },
        ]
    };
    let head = &[
        "Receiver",
        "Host",
        "Purpose",
        "Told",
        "Waiting",
        "Delivered",
        "Given up",
        "Last delivered",
        "To do",
    ];
    table("Deliveries", head, rows.items.into_iter().map(row).collect())
}

/// Who was told what of a person.
pub fn disclosures(told: &[Disclosure]) -> Table<'static> {
    let row = |it: &Disclosure| {
        vec![
            time(&it.disclosed_at),
            text(it.receiver.clone()),
            text(it.event.clone()),
            text(it.fields.join(", ")),
            text(it.purpose.clone()),
        ]
    };
    let head = &["When", "Receiver", "Occasion", "Told", "Purpose"];
    table("Who was told of them", head, told.iter().map(row).collect())
}

/// Whom a person objects to.
pub fn objections(objections: &[Objection]) -> Table<'static> {
    let row = |it: &Objection| vec![text(it.receiver.clone()), time(&it.since)];
    table("Objections", &["Receiver", "Since"], objections.iter().map(row).collect())
}

/// What is on its way.
pub fn deliveries(rows: Rows<Delivery>) -> Table<'static> {
    let row = |it: Delivery| {
        vec![
            time(&it.created_at),
            text(it.sink),
            text(it.kind),
            text(it.state),
            Cell::Number(it.attempts),
            it.next_attempt_at.as_deref().map_or(Cell::Nothing, time),
            text(it.last_failure),
        ]
    };
    let head =
        &["Queued", "Receiver", "About", "State", "Attempts", "Next attempt", "Last failure"];
    table("On their way", head, rows.items.into_iter().map(row).collect())
}

/// A membership, as a row.
pub fn membership(it: &Membership) -> Vec<Cell> {
    let none = it.no_organization.as_ref().map(|why| format!("none ({})", why.replace('_', " ")));
    vec![
        text(it.organization_name.clone().or(none)),
        time(&it.began_at),
        it.ended_at.as_deref().map_or_else(|| text("now".to_owned()), time),
    ]
}
