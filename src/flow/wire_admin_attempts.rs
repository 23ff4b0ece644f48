//! Attempts to sign in, as whoever administers is shown them: the command, the API and the
//! dashboard have the same words from here.

use gatehouse_api::admin::answer::{Problem, Rows};
use gatehouse_api::admin::attempts::{Attempt, AttemptInFull, AttemptStep};
use poem_openapi::types::ToJSON as _;

use crate::calendar::{date, day_of};
use crate::clock::Timestamp;
use crate::config::Config;
use crate::domain::attempt::judge::{Judged, Times, judge};
use crate::domain::attempt::stage::Outcome;
use crate::domain::attempt::{Step, parse_reference};
use crate::flow::Gatehouse;
use crate::flow::wire_admin::{broken, not_found};
use crate::flow::wire_admin_query::{Asked, bad, cut};
use crate::flow::wire_admin_reads::{Read, written};
use crate::store::attempts::{self, StoredAttempt};
use crate::store::listings::Window;
use crate::store::listings::attempts::{AttemptSelection, list};
use crate::store::{Db, StoreError};

/// Rows read at once while those with an outcome are looked for.
const READ_AT_ONCE: u64 = 500;

/// The most rows that are looked at for one part of a list.
const LOOKED_AT_MAX: usize = 5_000;

const NO_REFERENCE: &str = "It must be a reference: eight hexadecimal digits.";

/// How long others may take.
pub fn times(config: &Config) -> Times {
    Times {
        authorization_request_ttl: config.authorization_request_ttl,
        authorization_code_ttl: config.authorization_code_ttl,
    }
}

/// Attempts, the newest first.
pub async fn attempts(gatehouse: &Gatehouse, mut asked: Asked) -> Read<Attempt> {
    let outcome = asked.read("outcome", "It must be an outcome.", Outcome::parse)?;
    let selection = AttemptSelection {
        reference: asked.read("reference", NO_REFERENCE, parse_reference)?,
        client_id: asked.text("client")?,
    };
    let window = asked.window()?;
    asked.finish()?;
    let (times, now) = (times(&gatehouse.config), gatehouse.clock.now());
    // What an outcome is depends on the time, so it is in no column.
    let rows = if outcome.is_some() { READ_AT_ONCE } else { window.rows + 1 };
    let (mut found, mut after, mut looked_at) = (Vec::new(), window.after, 0);
    loop {
        let part = list(gatehouse.store.read(), &selection, Window { after, rows }).await;
        let part = part.map_err(broken)?;
        looked_at += part.len();
        let is_last = (part.len() as u64) < rows;
        after = part.last().map(|last| last.id.uuid()).or(after);
        let judged = part.into_iter().map(|it| (judge(&it.steps, &times, now), it));
        found.extend(judged.filter(|(judged, _)| outcome.is_none_or(|it| judged.outcome == it)));
        if found.len() as u64 > window.rows || is_last {
            let next = cut(&mut found, window.rows, |(_, it)| it.id.to_string());
            let items = found.into_iter().map(|(judged, it)| row(judged, it)).collect();
            return Ok(Rows { items, next });
        }
        if looked_at >= LOOKED_AT_MAX {
            let items = found.into_iter().map(|(judged, it)| row(judged, it)).collect();
            return Ok(Rows { items, next: after.map(|id| id.to_string()) });
        }
    }
}

/// One attempt, by its reference.
pub async fn one_attempt(gatehouse: &Gatehouse, reference: &str) -> Result<AttemptInFull, Problem> {
    let reference = parse_reference(reference).ok_or_else(|| bad("reference", NO_REFERENCE))?;
    let (times, now) = (times(&gatehouse.config), gatehouse.clock.now());
    let found = in_full(gatehouse.store.read(), &reference, (&times, now)).await;
    found.map_err(broken)?.ok_or_else(not_found)
}

/// The attempt with its steps, its cause and what to do; `None` when nothing is known of it.
pub async fn in_full(
    db: &impl Db,
    reference: &str,
    (times, now): (&Times, Timestamp),
) -> Result<Option<AttemptInFull>, StoreError> {
    let Some(found) = attempts::find(db, reference).await? else { return Ok(None) };
    let mut judged = judge(&found.steps, times, now);
    if judged.cause == Step::UnknownClient.word() {
        judged.detail = Some(registered_once(db, found.client_id.as_deref()).await?);
    }
    let advice = Some(judged.advice.to_owned()).filter(|advice| !advice.is_empty());
    let began_at = began_at(&found);
    let steps = found.steps.iter().map(|taken| AttemptStep {
        at: written(taken.at),
        after_ms: taken.at.millis().saturating_sub(began_at.millis()),
        step: taken.step.word().to_owned(),
        told: taken.step.told().to_owned(),
        detail: taken.detail.clone(),
    });
    Ok(Some(AttemptInFull { steps: steps.collect(), advice, attempt: row(judged, found) }))
}

/// The same as JSON.
pub fn json(found: &AttemptInFull) -> String {
    found.to_json_string()
}

/// Whether a program that is not known was known, as far as the audit log goes back.
async fn registered_once(db: &impl Db, client_id: Option<&str>) -> Result<String, StoreError> {
    let at = match client_id {
        Some(client_id) => attempts::registered_at(db, client_id).await?,
        None => None,
    };
    Ok(at.map_or_else(
        || "it never registered here, as far as the audit log goes back".to_owned(),
        |at| {
            let (year, month, day) = date(day_of(at));
            format!("it registered here on {year:04}-{month:02}-{day:02} and is gone since")
        },
    ))
}

fn began_at(attempt: &StoredAttempt) -> Timestamp {
    attempt.steps.first().map_or(Timestamp::from_millis(0), |first| first.at)
}

fn row(judged: Judged, it: StoredAttempt) -> Attempt {
    Attempt {
        began_at: written(began_at(&it)),
        id: it.id.to_string(),
        reference: it.reference,
        outcome: judged.outcome.word().to_owned(),
        cause: judged.cause.to_owned(),
        told: judged.told.to_owned(),
        detail: judged.detail,
        client_id: it.client_id,
        client_name: it.client_name,
        client_kind: it.client_kind,
        person: it.user_id.map(|id| id.to_string()),
        grant: it.grant_id.map(|id| id.to_string()),
    }
}
