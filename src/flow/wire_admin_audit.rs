//! The audit log, as whoever administers is shown it.

use gatehouse_api::admin::answer::Rows;
use gatehouse_api::admin::rows::Audit;

use crate::domain::audit::AuditKind;
use crate::domain::day::Day;
use crate::flow::Gatehouse;
use crate::flow::wire_admin::broken;
use crate::flow::wire_admin_query::{Asked, bad, cut, wider};
use crate::flow::wire_admin_reads::{Read, written};
use crate::id::UserId;
use crate::store::listings::audit::{self, AuditSelection, ListedAudit};

/// Rows, the newest first.
pub async fn audit(gatehouse: &Gatehouse, mut asked: Asked) -> Read<Audit> {
    let day = "It must be a day, written 2027-01-15.";
    let selection = AuditSelection {
        from: asked.read("from", day, Day::parse)?,
        to: asked.read("to", day, Day::parse)?,
        kind: asked.read("kind", "It must be a kind of the log.", AuditKind::parse)?,
        person: asked.read("person", "It is no identifier of ours.", UserId::parse)?,
    };
    if selection.from.zip(selection.to).is_some_and(|(from, to)| to < from) {
        return Err(bad("to", "It must not lie before the first day."));
    }
    let window = asked.window()?;
    asked.finish()?;
    let found = audit::list(gatehouse.store.read(), &selection, wider(window)).await;
    let mut found = found.map_err(broken)?;
    let next = cut(&mut found, window.rows, |row| row.id.to_string());
    Ok(Rows { items: found.into_iter().map(row).collect(), next })
}

fn row(row: ListedAudit) -> Audit {
    Audit {
        id: row.id.to_string(),
        at: written(row.at),
        kind: row.kind,
        who: row.who,
        person: row.person.map(|person| person.to_string()),
        client_id: row.client_id,
        grant: row.grant.map(|grant| grant.to_string()),
        reason: row.reason,
        reference: row.reference,
    }
}
