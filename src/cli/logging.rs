//! The log: text for people on a terminal, JSON for programs otherwise; and beside it the traces,
//! where the settings send them to a collector.

use std::io::{BufWriter, IsTerminal as _};

use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider};
use tracing::{Metadata, Subscriber};
use tracing_appender::non_blocking::{NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::filter::{LevelFilter, dynamic_filter_fn};
use tracing_subscriber::layer::{Context, SubscriberExt as _};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer, Registry};

use crate::cli::CommandError;
use crate::config::traces::TracesConfig;
use crate::config::{Config, LogFormat};
use crate::metrics::log;
use crate::traces::collector::{self, Collector};
use crate::traces::{REQUEST, REQUEST_TARGET, TARGET};

/// Libraries that would write what people asked into the log at the levels given. Put after the
/// operator's filter, so that a level chosen for everything does not open them; only a directive
/// for a part of one of them does.
const HUSHED: [&str; 5] =
    ["rmcp=error", "sqlx=warn", "tantivy=warn", "opentelemetry=warn", "opentelemetry_sdk=warn"];

/// Put after those where nobody takes traces: then their spans are not even made.
const UNTRACED: &str = "gatehouse::traces=off";

/// What is logged, by the setting `log`.
pub fn filter(config: &Config) -> Result<EnvFilter, CommandError> {
    let mut filter = EnvFilter::try_new(&config.log)
        .map_err(|_| CommandError::new("log: it is neither a level nor a filter"))?;
    for directive in HUSHED.into_iter().chain(config.traces.is_none().then_some(UNTRACED)) {
        let parsed = directive.parse().map_err(CommandError::new)?;
        filter = filter.add_directive(parsed);
    }
    Ok(filter)
}

/// So many lines wait to be written, and those after them are lost: whoever reads the log slowly,
/// or not at all, holds no request up.
const LINES_THAT_WAIT_MAX: usize = 10_000;

/// Lines are handed on in pieces of this many bytes where many are written at once.
const BYTES_AT_ONCE: usize = 32 * 1024;

/// What tells of this process.
pub struct Told {
    /// Sends traces, where they are sent. Whoever is given it ends it.
    pub traces: Option<SdkTracerProvider>,
    /// Writes what still waits when it is dropped.
    _lines: WorkerGuard,
}

/// Starts writing the log, and sending traces, if they are sent.
pub fn start(config: &Config) -> Result<Told, CommandError> {
    let filter = filter(config)?;
    let is_terminal = std::io::stdout().is_terminal();
    let usual = if is_terminal { LogFormat::Text } else { LogFormat::Json };
    let format = config.log_format.unwrap_or(usual);
    // A line that cannot be written is lost: to say so on an error output that is full as well
    // would be a panic in the middle of a request.
    let (writer, guard) = NonBlockingBuilder::default()
        .buffered_lines_limit(LINES_THAT_WAIT_MAX)
        .thread_name("log")
        .finish(BufWriter::with_capacity(BYTES_AT_ONCE, std::io::stdout()));
    log::watch(writer.error_counter());
    let lines = tracing_subscriber::fmt::layer().log_internal_errors(false).with_writer(writer);
    let lines: Box<dyn Layer<Registry> + Send + Sync> = match format {
        LogFormat::Text => lines.with_ansi(is_terminal).with_filter(filter).boxed(),
        LogFormat::Json => lines.json().flatten_event(true).with_filter(filter).boxed(),
    };
    let Some(traces) = &config.traces else {
        Registry::default().with(lines).try_init().map_err(CommandError::new)?;
        return Ok(Told { traces: None, _lines: guard });
    };
    let provider = collector::provider(collector(traces), traces.share_hundredths);
    let provider = provider.map_err(|error| CommandError::new(format!("traces: {error}")))?;
    let tracer = opentelemetry::trace::TracerProvider::tracer(&provider, "gatehouse");
    let started = Registry::default().with(lines).with(spans(tracer)).try_init();
    started.map_err(CommandError::new)?;
    tracing::info!(collector = traces.host(), "traces are sent");
    Ok(Told { traces: Some(provider), _lines: guard })
}

/// The collector that the settings name.
pub fn collector(traces: &TracesConfig) -> Collector {
    Collector {
        url: traces.url.clone(),
        headers: traces.headers.clone(),
        resource: traces.resource.clone(),
    }
}

/// What is exported: our own spans with the fields we gave them. No line of the log is, nor where
/// in the program something was.
fn spans<S>(tracer: SdkTracer) -> impl Layer<S>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    // Asked each time: an answer that is remembered may be to what a library asked in between.
    let filter = dynamic_filter_fn(|metadata, _: &Context<'_, S>| is_exported(metadata));
    tracing_opentelemetry::layer()
        .with_tracer(tracer)
        .with_context_activation(false)
        .with_location(false)
        .with_threads(false)
        .with_target(false)
        .with_level(false)
        .with_tracked_inactivity(false)
        .with_filter(filter.with_max_level_hint(LevelFilter::INFO))
}

fn is_exported(metadata: &Metadata<'_>) -> bool {
    // A request that is not traced has no place for a trace.
    let is_request = || {
        let is_traced = metadata.fields().field("trace_id").is_some();
        metadata.target() == REQUEST_TARGET && metadata.name() == REQUEST && is_traced
    };
    metadata.is_span() && (metadata.target() == TARGET || is_request())
}
