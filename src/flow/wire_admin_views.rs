//! What each page of the dashboard with tables is made of: its words, its filters, its rows.

use gatehouse_api::admin::answer::Problem;
use gatehouse_api::admin::pages::View;
use gatehouse_api::visit::Visit;

use crate::domain::audit::AuditKind;
use crate::flow::Gatehouse;
use crate::flow::wire_admin_attempt_page as pages;
use crate::flow::wire_admin_query::Asked;
use crate::flow::wire_admin_tables as tables;
use crate::flow::{
    wire_admin_attempts, wire_admin_audit, wire_admin_counts, wire_admin_people, wire_admin_reads,
};
use crate::page::admin::{Filter, Table};

/// How an attempt to sign in can end.
const OUTCOMES: &[(&str, &str)] = &[
    ("finished", "finished"),
    ("under_way", "under way"),
    ("left", "left"),
    ("declined", "declined"),
    ("refused", "refused"),
    ("failed", "failed"),
];

/// The kinds of the audit log.
const KINDS: &[(&str, &str)] = &{
    let mut kinds = [("", ""); AuditKind::ALL.len()];
    let mut at = 0;
    while at < kinds.len() {
        kinds[at] = (AuditKind::ALL[at].name(), AuditKind::ALL[at].name());
        at += 1;
    }
    kinds
};

/// What a page with tables is made of.
pub struct Listed {
    /// What it is about.
    pub lead: &'static str,
    /// By what rows are chosen.
    pub filters: Vec<Filter<'static>>,
    /// The tables.
    pub tables: Vec<Table<'static>>,
}

/// The page of a view.
pub async fn listed(
    gatehouse: &Gatehouse,
    visit: &Visit,
    asked: Asked,
    view: View,
) -> Result<Listed, Problem> {
    let pairs = visit.query_pairs();
    let tables = tables_of(gatehouse, asked, view, &pairs).await?;
    Ok(Listed { lead: lead(view), filters: filters(view, &pairs), tables })
}

const fn lead(view: View) -> &'static str {
    match view {
        View::Overview | View::Organizations => "Who uses this documentation, the newest first.",
        View::People => {
            "People in the order they first signed in. Names and addresses stand on each person's \
             page, on request."
        }
        View::Clients => {
            "Programs that asked for access, the newest first. Names are their own claims."
        }
        View::Grants => "Who connected which program, the newest first.",
        View::Feedback => "What people said of the documentation, the newest first.",
        View::Usage => "Calls of tools in the last 30 days, by organization, or as chosen.",
        View::Gaps => {
            "What people looked for in the last 30 days and did not find. Nothing unless \
             keep_queries or ask_context is set."
        }
        View::Enforcement => "Who would break if everybody had to sign in.",
        View::Attempts => {
            "Attempts to sign in, the newest first: how far each came, and why it ended. The \
             reference is what the pages showed to the person."
        }
        View::Audit => "Who did what, the newest first. Rows are added and never changed.",
        View::Sinks => "Who is handed what happens here, and what is on its way.",
    }
}

fn filters(view: View, pairs: &[(String, String)]) -> Vec<Filter<'static>> {
    let value = |name: &str| {
        let found = pairs.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.clone()).unwrap_or_default()
    };
    let typed = |name, label| Filter::Text { name, label, value: value(name) };
    let choice = |name, label, words| Filter::Choice { name, label, words, chosen: value(name) };
    match view {
        View::Overview | View::Organizations | View::Enforcement => Vec::new(),
        View::People => vec![typed("organization", "Organization: name, domain or key")],
        View::Clients => {
            let words = &[("registered", "registered"), ("document", "metadata document")];
            vec![choice("kind", "Introduced by", words)]
        }
        View::Grants => vec![
            choice("active", "State", &[("true", "works"), ("false", "ended")]),
            typed("client", "Program's client_id"),
            typed("person", "Person's identifier"),
        ],
        View::Feedback => vec![choice("include", "What people wrote", &[("text", "shown")])],
        View::Usage => {
            let words = &[
                ("product", "product"),
                ("tool", "tool"),
                ("day", "day"),
                ("outcome", "outcome"),
                ("revision", "revision"),
            ];
            vec![
                choice("by", "By", words),
                typed("from", "From day"),
                typed("to", "To day"),
                typed("organization", "Organization's key"),
            ]
        }
        View::Gaps => vec![choice("include", "What was asked", &[("text", "shown")])],
        View::Attempts => vec![
            choice("outcome", "Outcome", OUTCOMES),
            typed("reference", "Reference"),
            typed("client", "Program's client_id"),
        ],
        View::Audit => vec![
            choice("kind", "What", KINDS),
            typed("from", "From day"),
            typed("to", "To day"),
            typed("person", "Person's identifier"),
        ],
        View::Sinks => {
            let words =
                &[("waiting", "waiting"), ("delivered", "delivered"), ("failed", "given up")];
            vec![choice("state", "State", words)]
        }
    }
}

async fn tables_of(
    gatehouse: &Gatehouse,
    asked: Asked,
    view: View,
    pairs: &[(String, String)],
) -> Result<Vec<Table<'static>>, Problem> {
    // Each list under its name in the API, with its table.
    macro_rules! list {
        ($read:expr, $table:expr, $name:literal) => {{
            let mut rows = $read.await?;
            let next = rows.next.take();
            with_links($table(rows), pairs, next.as_deref(), $name)
        }};
    }
    Ok(match view {
        View::Overview | View::Organizations | View::Enforcement => {
            let read = wire_admin_reads::organizations(gatehouse, asked);
            vec![list!(read, tables::organizations, "organizations")]
        }
        View::People => {
            vec![list!(wire_admin_people::people(gatehouse, asked), tables::people, "people")]
        }
        View::Clients => {
            vec![list!(wire_admin_reads::clients(gatehouse, asked), tables::clients, "clients")]
        }
        View::Grants => {
            let table = |rows| tables::grants("Grants", rows);
            vec![list!(wire_admin_reads::grants(gatehouse, asked), table, "grants")]
        }
        View::Feedback => {
            vec![list!(wire_admin_reads::feedback(gatehouse, asked), tables::feedback, "feedback")]
        }
        View::Usage => {
            vec![list!(wire_admin_counts::usage(gatehouse, asked), tables::usage, "usage")]
        }
        View::Gaps => {
            vec![list!(wire_admin_counts::gaps(gatehouse, asked), tables::gaps, "gaps")]
        }
        View::Attempts => {
            let read = wire_admin_attempts::attempts(gatehouse, asked);
            vec![list!(read, pages::attempts, "attempts")]
        }
        View::Audit => {
            vec![list!(wire_admin_audit::audit(gatehouse, asked), pages::audit, "audit")]
        }
        View::Sinks => {
            let read = wire_admin_reads::deliveries(gatehouse, asked);
            let deliveries = list!(read, tables::deliveries, "deliveries");
            let receivers = wire_admin_reads::sinks(gatehouse, Asked::nothing()).await?;
            vec![tables::sinks(receivers), deliveries]
        }
    })
}

/// The same page further on, and the same rows as CSV.
fn with_links(
    table: Table<'static>,
    pairs: &[(String, String)],
    next: Option<&str>,
    list: &str,
) -> Table<'static> {
    let kept = |left_out: &[&str], added: (&str, &str)| {
        let kept = pairs.iter().filter(|(name, value)| {
            !value.is_empty() && name != "done" && !left_out.contains(&name.as_str())
        });
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(kept).append_pair(added.0, added.1);
        query.finish()
    };
    let next = next.map(|after| format!("?{}", kept(&["after"], ("after", after))));
    let csv = format!("/admin/api/v1/{list}?{}", kept(&["format"], ("format", "csv")));
    Table { next, csv: Some(csv), ..table }
}
