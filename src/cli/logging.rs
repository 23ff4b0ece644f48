//! The log: text for people on a terminal, JSON for programs otherwise.

use std::io::IsTerminal as _;

use tracing_subscriber::EnvFilter;

use crate::cli::CommandError;
use crate::config::{Config, LogFormat};

/// Libraries that would write what people asked into the log at the levels given. Put after the
/// operator's filter, so that a level chosen for everything does not open them; only a directive
/// for a part of one of them does.
const HUSHED: [&str; 3] = ["rmcp=error", "sqlx=warn", "tantivy=warn"];

/// What is logged, by the setting `log`.
pub fn filter(config: &Config) -> Result<EnvFilter, CommandError> {
    let mut filter = EnvFilter::try_new(&config.log)
        .map_err(|_| CommandError::new("log: it is neither a level nor a filter"))?;
    for directive in HUSHED {
        let parsed = directive.parse().map_err(CommandError::new)?;
        filter = filter.add_directive(parsed);
    }
    Ok(filter)
}

/// Starts writing the log.
pub fn start(config: &Config) -> Result<(), CommandError> {
    let filter = filter(config)?;
    let format = config.log_format.unwrap_or_else(|| {
        if std::io::stdout().is_terminal() { LogFormat::Text } else { LogFormat::Json }
    });
    let builder = tracing_subscriber::fmt().with_env_filter(filter);
    let started = match format {
        LogFormat::Text => builder.with_ansi(std::io::stdout().is_terminal()).try_init(),
        LogFormat::Json => builder.json().flatten_event(true).try_init(),
    };
    started.map_err(CommandError::new)
}
