//! `gatehouse gaps`: what people looked for and did not find.

use clap::ArgMatches;
use serde_json::{Value, json};

use crate::attribution::searches::gaps::gaps;
use crate::cli::serve::open_migrated_store;
use crate::cli::table::{Form, Table};
use crate::cli::usage::{form, range};
use crate::cli::{CommandError, block_on};
use crate::clock::Timestamp;
use crate::config::Config;
use crate::domain::day::Day;
use crate::domain::gap::Gap;
use crate::flow::chain;

/// Runs the command.
pub fn run(config: Config, matches: &ArgMatches) -> Result<(), CommandError> {
    if !config.usage.keep_queries && !config.usage.ask_context {
        return Err(CommandError::new(
            "gaps: nothing is kept that they could be told from; set keep_queries (what is \
             searched for) or ask_context (what people want)",
        ));
    }
    let (first, last) = range(matches)?;
    block_on(async {
        let store = open_migrated_store(&config.database_url).await?;
        let found = gaps(&store, &config.secret, first.plus(-1).end(), last.end())
            .await
            .map_err(|error| CommandError::new(format!("gaps: {}", chain(&error))))?;
        let form = form(matches);
        let table = Table {
            name: "gaps",
            head: vec![
                "topic",
                "organizations",
                "searches",
                "empty",
                "weak",
                "reformulated",
                "last_day",
                "queries",
                "contexts",
            ],
            rows: found.gaps.iter().map(|gap| row(gap, form)).collect(),
            notes: vec![
                ("from", json!(first.to_string())),
                ("to", json!(last.to_string())),
                ("looked_at", json!(found.looked_at)),
                ("is_cut", json!(found.is_cut)),
                ("unreadable", json!(found.unreadable)),
            ],
        };
        table.print(form);
        Ok(())
    })
}

fn row(gap: &Gap, form: Form) -> Vec<Value> {
    let organizations = match form {
        Form::Json => json!(gap.organizations),
        Form::Columns | Form::Csv => json!(gap.organizations.len()),
    };
    vec![
        json!(gap.topic.join(" ")),
        organizations,
        json!(gap.searches),
        json!(gap.empty),
        json!(gap.weak),
        json!(gap.reformulated),
        json!(Day::of(Timestamp::from_millis(gap.last_at)).to_string()),
        json!(gap.queries),
        json!(gap.contexts),
    ]
}
