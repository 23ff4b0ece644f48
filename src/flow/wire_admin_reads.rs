//! What whoever administers is shown: parameters in, rows out. The API answers with them, and the
//! dashboard makes tables of them.

use gatehouse_api::admin::answer::{Problem, Rows};
use gatehouse_api::admin::rows::{Client, Delivery, Feedback, Grant, Organization, Sink};

use crate::calendar;
use crate::clock::Timestamp;
use crate::flow::Gatehouse;
use crate::flow::admin_acts::FEEDBACK;
use crate::flow::wire_admin::{broken, not_found};
use crate::flow::wire_admin_query::{Asked, bad, cut, wider};
use crate::id::UserId;
use crate::server_secret::Purpose;
use crate::store::listings::Window;
use crate::store::listings::clients::{self, ClientKind, ClientSelection, ListedClient};
use crate::store::listings::deliveries::{
    self, DeliverySelection, DeliveryState, Destination, ListedDelivery,
};
use crate::store::listings::feedback::{self, ListedFeedback};
use crate::store::listings::grants::{self, GrantSelection, ListedGrant, Moment};
use crate::store::listings::organizations::{self, ListedOrganization};
use uuid::Uuid;

/// Rows, or what is wrong with what was asked.
pub type Read<T> = Result<Rows<T>, Problem>;

/// A moment as the API writes it.
pub fn written(moment: Timestamp) -> String {
    calendar::rfc3339(moment)
}

fn optional(moment: Option<Timestamp>) -> Option<String> {
    moment.map(written)
}

/// Programs.
pub async fn clients(gatehouse: &Gatehouse, mut asked: Asked) -> Read<Client> {
    let kind = asked.read("kind", "It must be registered or document.", |text| match text {
        "registered" => Some(ClientKind::Registered),
        "document" => Some(ClientKind::Document),
        _ => None,
    })?;
    let window = asked.window()?;
    asked.finish()?;
    let selection = ClientSelection { id: None, kind };
    let found = clients::list(gatehouse.store.read(), &selection, wider(window)).await;
    let mut found = found.map_err(broken)?;
    let next = cut(&mut found, window.rows, |row| row.id.to_string());
    Ok(Rows { items: found.into_iter().map(client).collect(), next })
}

/// One program.
pub async fn one_client(gatehouse: &Gatehouse, id: &str) -> Result<Client, Problem> {
    let id = Uuid::try_parse(id).map_err(|_| bad("id", "It is no identifier of ours."))?;
    let selection = ClientSelection { id: Some(id), kind: None };
    let window = Window { after: None, rows: 1 };
    let found = clients::list(gatehouse.store.read(), &selection, window).await.map_err(broken)?;
    found.into_iter().next().map(client).ok_or_else(not_found)
}

fn client(row: ListedClient) -> Client {
    let is_document = row.client_id.starts_with("http");
    Client {
        id: row.id.to_string(),
        kind: if is_document { "document" } else { "registered" }.to_owned(),
        client_id: row.client_id,
        name: row.name,
        redirect_uris: row.redirect_uris,
        created_at: written(row.created_at),
        last_used_at: written(row.last_used_at),
        grants: row.grants,
    }
}

/// Grants.
pub async fn grants(gatehouse: &Gatehouse, mut asked: Asked) -> Read<Grant> {
    let selection = GrantSelection {
        person: asked.read("person", "It is no identifier of ours.", UserId::parse)?,
        client_id: asked.text("client")?,
        is_active: asked.switch("active")?,
        ..GrantSelection::default()
    };
    let window = asked.window()?;
    asked.finish()?;
    list_grants(gatehouse, &selection, window).await
}

/// Grants that are selected.
pub async fn list_grants(
    gatehouse: &Gatehouse,
    selection: &GrantSelection,
    window: Window,
) -> Read<Grant> {
    let now = gatehouse.clock.now();
    let access_tokens_since = now.minus(gatehouse.config.access_token_ttl);
    let moment = Moment { now, access_tokens_since };
    let found = grants::list(gatehouse.store.read(), selection, moment, wider(window)).await;
    let mut found = found.map_err(broken)?;
    let next = cut(&mut found, window.rows, |row| row.id.to_string());
    Ok(Rows { items: found.into_iter().map(grant).collect(), next })
}

fn grant(row: ListedGrant) -> Grant {
    Grant {
        id: row.id.to_string(),
        person: row.person.to_string(),
        client_id: row.client_id,
        client_name: row.client_name,
        scope: row.scope,
        active: row.is_active,
        created_at: written(row.created_at),
        last_used_at: written(row.last_used_at),
        expires_at: optional(row.expires_at),
        revoked_at: optional(row.revoked_at),
        revoked_reason: row.revoked_reason,
    }
}

/// Organizations.
pub async fn organizations(gatehouse: &Gatehouse, mut asked: Asked) -> Read<Organization> {
    let window = asked.window()?;
    asked.finish()?;
    let found = organizations::list(gatehouse.store.read(), wider(window)).await;
    let mut found = found.map_err(broken)?;
    let next = cut(&mut found, window.rows, |row| row.id.to_string());
    Ok(Rows { items: found.into_iter().map(organization).collect(), next })
}

fn organization(row: ListedOrganization) -> Organization {
    Organization {
        id: row.id.to_string(),
        key: row.key,
        name: row.name,
        domain: row.domain,
        people: row.people,
        created_at: written(row.created_at),
    }
}

/// Feedback.
pub async fn feedback(gatehouse: &Gatehouse, mut asked: Asked) -> Read<Feedback> {
    let with_text = asked.includes("text")?;
    let window = asked.window()?;
    asked.finish()?;
    let found = feedback::list(gatehouse.store.read(), FEEDBACK, wider(window)).await;
    let mut found = found.map_err(broken)?;
    let next = cut(&mut found, window.rows, |row| row.id.to_string());
    let shown = |row| message(gatehouse, row, with_text);
    Ok(Rows { items: found.into_iter().map(shown).collect(), next })
}

fn message(gatehouse: &Gatehouse, row: ListedFeedback, with_text: bool) -> Feedback {
    let opened = || {
        let opened = gatehouse.config.secret.unseal(Purpose::Feedback, &row.text_sealed)?;
        String::from_utf8(opened).ok()
    };
    Feedback {
        id: row.id.to_string(),
        created_at: written(row.created_at),
        text: if with_text { opened() } else { None },
        category: row.category,
        page_url: row.page_url,
        page_is_foreign: row.page_is_foreign,
        person: row.person.to_string(),
        client_id: row.client_id,
        delivery: row.delivery,
        attempts: row.attempts,
        last_failure: row.last_failure,
    }
}

/// Who is handed what happens here.
pub async fn sinks(gatehouse: &Gatehouse, asked: Asked) -> Read<Sink> {
    asked.finish()?;
    let found = deliveries::destinations(gatehouse.store.read()).await.map_err(broken)?;
    let configured = gatehouse.receivers();
    let unused = configured.iter().map(|receiver| receiver.name.clone());
    let unused = unused.filter(|name| found.iter().all(|row| row.name != *name));
    let unused: Vec<_> = unused.map(Destination::nothing_for).collect();
    let time = |millis: Option<i64>| optional(millis.map(Timestamp::from_millis));
    let mut rows: Vec<_> = found.into_iter().chain(unused).collect();
    rows.sort_by(|one, other| one.name.cmp(&other.name));
    let receiver_of = |name: &str| configured.iter().find(|receiver| receiver.name == name);
    let sink = |row: Destination| Sink {
        configured: receiver_of(&row.name).is_some(),
        host: receiver_of(&row.name).map(|it| it.host.to_owned()),
        purpose: receiver_of(&row.name).and_then(|it| it.purpose.map(str::to_owned)),
        events: receiver_of(&row.name).map(|it| it.events.clone()).unwrap_or_default(),
        fields: receiver_of(&row.name).map(|it| it.fields.clone()).unwrap_or_default(),
        name: row.name,
        waiting: row.waiting,
        delivered: row.delivered,
        failed: row.failed,
        waiting_since: time(row.waiting_since),
        last_delivered_at: time(row.last_delivered_at),
    };
    Ok(Rows { items: rows.into_iter().map(sink).collect(), next: None })
}

/// What is on its way.
pub async fn deliveries(gatehouse: &Gatehouse, mut asked: Asked) -> Read<Delivery> {
    use DeliveryState::{Delivered, Failed, Waiting};
    let expected = "It must be waiting, delivered or failed.";
    let selection = DeliverySelection {
        destination: asked.text("sink")?,
        state: asked.read("state", expected, |text| {
            [Waiting, Delivered, Failed].into_iter().find(|state| state.name() == text)
        })?,
    };
    let window = asked.window()?;
    asked.finish()?;
    let found = deliveries::list(gatehouse.store.read(), &selection, wider(window)).await;
    let mut found = found.map_err(broken)?;
    let next = cut(&mut found, window.rows, |row| row.id.to_string());
    Ok(Rows { items: found.into_iter().map(delivery).collect(), next })
}

fn delivery(row: ListedDelivery) -> Delivery {
    Delivery {
        id: row.id.to_string(),
        sink: row.destination,
        kind: row.kind,
        person: row.person.map(|person| person.to_string()),
        created_at: written(row.created_at),
        state: row.state.name().to_owned(),
        attempts: row.attempts,
        next_attempt_at: optional(row.next_attempt_at),
        last_failure: row.last_failure,
    }
}

#[cfg(test)]
mod tests {
    use gatehouse_api::admin::csv;
    use proptest::prelude::*;
    use serde_json::json;

    /// Cells as RFC 4180 has them, read without any code of ours.
    fn read(text: &str) -> Vec<Vec<String>> {
        let (mut rows, mut row, mut cell) = (Vec::new(), Vec::new(), String::new());
        let mut rest = text.chars().peekable();
        let mut is_quoted = false;
        while let Some(c) = rest.next() {
            match c {
                '"' if is_quoted && rest.peek() == Some(&'"') => {
                    rest.next();
                    cell.push('"');
                }
                '"' => is_quoted = !is_quoted,
                ',' if !is_quoted => row.push(std::mem::take(&mut cell)),
                '\r' if !is_quoted => {
                    assert_eq!(rest.next(), Some('\n'));
                    row.push(std::mem::take(&mut cell));
                    rows.push(std::mem::take(&mut row));
                }
                c => cell.push(c),
            }
        }
        assert!(!is_quoted && row.is_empty() && cell.is_empty(), "it ends with a line");
        rows
    }

    fn text() -> impl Strategy<Value = String> {
        prop_oneof![".{0,12}", "[=+@ \t\r\n\"',;0-9a-z-]{0,8}"]
    }

    proptest! {
        #[test]
        fn any_text_comes_back_and_none_is_a_formula(rows in prop::collection::vec(
            (text(), text()), 0..5)) {
            let values = rows.iter().map(|(a, b)| json!({"a": a, "b": b}));
            let written = csv::text(&["a", "b"], values);
            let back = read(&written);
            prop_assert_eq!(back.len(), rows.len() + 1);
            for ((a, b), cells) in rows.iter().zip(&back[1..]) {
                prop_assert_eq!(cells.len(), 2);
                for (meant, cell) in [(a, &cells[0]), (b, &cells[1])] {
                    let guarded = format!("'{meant}");
                    prop_assert!(cell == meant || *cell == guarded);
                    let first = cell.trim_start().chars().next();
                    let is_number = cell.strip_prefix('-').is_some_and(|digits| {
                        !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit())
                    });
                    prop_assert!(is_number || !matches!(first, Some('=' | '+' | '-' | '@')));
                    prop_assert!(!cell.starts_with(['\t', '\r', '\n']));
                }
            }
        }
    }
}
