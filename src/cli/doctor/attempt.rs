//! `gatehouse doctor REF`: one attempt to sign in, by the reference that its pages showed: its
//! steps, why it came to nothing, and what to do. It reads the database and changes nothing.

use std::time::Duration;

use gatehouse_api::admin::attempts::AttemptInFull;

use crate::cli::serve::open_migrated_store;
use crate::cli::{CommandError, block_on, say};
use crate::clock::{Clock as _, SystemClock};
use crate::config::Config;
use crate::flow::chain;
use crate::flow::wire_admin_attempt_page::{after, introduced};
use crate::flow::wire_admin_attempts::{in_full, json, times};
use crate::page::kept::in_words;

/// Explains the attempt; fails when nothing is known of it.
pub fn run(config: &Config, reference: &str, is_json: bool) -> Result<(), CommandError> {
    block_on(async {
        let store = open_migrated_store(&config.database_url).await?;
        let times = times(config);
        let found = in_full(store.read(), reference, (&times, SystemClock.now())).await;
        let found =
            found.map_err(|error| CommandError::new(format!("doctor: {}", chain(&error))))?;
        let found = found.ok_or_else(|| unknown(reference, config.kept.attempts))?;
        if is_json {
            say(json(&found));
        } else {
            lines(&found).iter().for_each(say);
        }
        Ok(())
    })
}

fn unknown(reference: &str, kept: Duration) -> CommandError {
    let kept = in_words(kept);
    CommandError::new(format!(
        "doctor: no attempt {reference} is known. Attempts are kept for {kept} (attempts_kept) and \
         are some seconds late; a page that belongs to none has its reference in the log alone"
    ))
}

/// As people read it.
fn lines(found: &AttemptInFull) -> Vec<String> {
    let it = &found.attempt;
    let mut lines = vec![format!("Attempt {}, begun {}", it.reference, it.began_at)];
    let name = it.client_name.as_deref().or(it.client_id.as_deref()).unwrap_or("not known");
    let kind = it.client_kind.as_deref().map(introduced);
    let kind = kind.map(|kind| format!(", introduced by {kind}")).unwrap_or_default();
    lines.push(format!("Program: {name}{kind}"));
    let ids = [("client_id", &it.client_id), ("Person", &it.person), ("Grant", &it.grant)];
    let ids = ids.into_iter().filter_map(|(name, id)| Some(format!("{name}: {}", id.as_ref()?)));
    lines.extend(ids);
    lines.push(String::new());
    for step in &found.steps {
        let after = format!("+{}", after(step.after_ms));
        lines.push(format!("{after:>14}  {}{}", step.told, beside(step.detail.as_deref())));
    }
    lines.push(String::new());
    lines.push(format!("Cause ({}): {}{}", it.cause, it.told, beside(it.detail.as_deref())));
    lines.extend(found.advice.as_ref().map(|advice| format!("To do: {advice}")));
    lines
}

fn beside(detail: Option<&str>) -> String {
    detail.map(|detail| format!(" [{detail}]")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_asks_for_what_is_gone_is_told_how_long_it_is_kept() {
        let CommandError(said) = unknown("0e9fa0b1", Duration::from_hours(24 * 14));
        assert!(said.contains("no attempt 0e9fa0b1 is known"), "{said}");
        assert!(said.contains("kept for 14 days (attempts_kept)"), "{said}");
    }
}
