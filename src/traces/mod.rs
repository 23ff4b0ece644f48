//! The way of a request through the house, told to a collector of OpenTelemetry when the settings
//! name one.
//!
//! Each room that does a part of the work begins a span of it here. A span says what kind of work
//! it was, how long it took and what came of it, in words of ours and names that the settings give;
//! what a request said never becomes one, because no function here takes it. Nothing that is
//! logged goes along.
//!
//! Without a collector nobody listens to [`TARGET`], and a span is a check of one number.
//!
//! Never here: what came in a request, addresses, people.

use std::sync::atomic::{AtomicBool, Ordering};

use http::{HeaderMap, Method};
use opentelemetry::KeyValue;
use opentelemetry::propagation::{Extractor, TextMapPropagator as _};
use opentelemetry::trace::TraceContextExt as _;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use tracing::field::Empty;
use tracing::{Span, info_span};
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

pub mod collector;
pub mod sampling;

/// Where the parts of a request's way are told; nothing else that is told is exported.
pub const TARGET: &str = "gatehouse::traces";

/// Where the request itself is told, which is in each of its lines of the log too.
pub const REQUEST_TARGET: &str = "gatehouse::http::request_log";

/// The name of a span that a trace begins with: a request.
pub const REQUEST: &str = "request";

/// The name of the other one: something is handed on to its receiver, which no request waits for.
pub const DELIVERY: &str = "delivery";

/// The header that names the trace of whoever calls (W3C Trace Context §3.2).
const TRACEPARENT: &str = "traceparent";

/// The methods that are told by name; any other is made up by whoever calls.
const METHODS: [Method; 6] =
    [Method::GET, Method::HEAD, Method::POST, Method::OPTIONS, Method::DELETE, Method::PUT];

/// What the semantic conventions of OpenTelemetry call any other method.
const OTHER_METHOD: &str = "_OTHER";

/// Whether a collector is told. Of the process, as what listens to spans is; asking that whether it
/// listens would disturb its filters, which remember their last answer.
static IS_TOLD: AtomicBool = AtomicBool::new(false);

/// A request, in the log and, if it is traced, on its way.
#[derive(Debug)]
pub struct Request {
    /// What all its work is done in.
    pub span: Span,
    /// The trace in which it is told, if it is.
    pub trace_id: Option<String>,
}

/// Whether somebody is told of traces.
pub fn are_told() -> bool {
    IS_TOLD.load(Ordering::Relaxed)
}

impl Request {
    /// A request that nothing is told of but its one line in the log.
    pub const fn brief() -> Self {
        Self { span: Span::none(), trace_id: None }
    }

    /// A request that is not traced: it has its id in the log, and that is all.
    pub fn untraced(id: &str) -> Self {
        Self { span: info_span!(target: REQUEST_TARGET, "request", %id), trace_id: None }
    }

    /// A request to a route of ours, by the pattern of the route. `told_by` are the headers of
    /// whoever may say of which trace it is a part.
    pub fn traced(
        id: &str,
        method: &Method,
        route: &'static str,
        told_by: Option<&HeaderMap>,
    ) -> Self {
        if !are_told() {
            return Self::untraced(id);
        }
        let span = info_span!(
            target: REQUEST_TARGET, "request", %id, trace_id = Empty, otel.kind = "server",
        );
        if let Some(headers) = told_by {
            let parent = TraceContextPropagator::new().extract(&OnlyTraceparent(headers));
            // It fails only where the span is not exported, and then it has no parent either.
            let _ = span.set_parent(parent);
        }
        let method = METHODS.iter().find(|known| *known == method);
        let method = method.map_or(OTHER_METHOD, Method::as_str);
        span.set_attribute("http.request.method", method);
        span.set_attribute("http.route", route);
        let context = span.context();
        let told = context.span();
        told.update_name(format!("{method} {route}"));
        let is_told = told.span_context().is_sampled();
        let trace_id = is_told.then(|| told.span_context().trace_id().to_string());
        if let Some(trace_id) = &trace_id {
            span.record("trace_id", trace_id);
        }
        Self { span, trace_id }
    }

    /// The head of the answer is on its way.
    pub fn answered(&self, status: u16) {
        if self.trace_id.is_none() {
            return;
        }
        let context = self.span.context();
        let told = context.span();
        told.set_attribute(KeyValue::new("http.response.status_code", i64::from(status)));
        if status >= 500 {
            told.set_status(opentelemetry::trace::Status::error(""));
        }
    }
}

/// The one header that is read: another one that goes with it (`tracestate`) may say anything, and
/// would be passed on.
struct OnlyTraceparent<'a>(&'a HeaderMap);

impl Extractor for OnlyTraceparent<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        let mut lines = self.0.get_all(TRACEPARENT).iter();
        match (lines.next(), lines.next()) {
            (Some(line), None) if key == TRACEPARENT => line.to_str().ok(),
            _ => None,
        }
    }

    fn keys(&self) -> Vec<&str> {
        vec![TRACEPARENT]
    }
}

/// The identity provider is asked.
pub fn provider_call(call: &'static str) -> Span {
    info_span!(
        target: TARGET, "provider", otel.kind = "client", call, outcome = Empty,
        otel.status_code = Empty,
    )
}

/// A writing transaction, with all its attempts; `place` is the module that it is written in.
pub fn transaction(place: &'static str) -> Span {
    let place = place.strip_prefix("gatehouse::").unwrap_or(place);
    info_span!(
        target: TARGET, "transaction", otel.kind = "client", place, outcome = Empty,
        otel.status_code = Empty,
    )
}

/// A statement by itself; what it is, is recorded as `db.query.summary`.
pub fn statement() -> Span {
    info_span!(
        target: TARGET, "statement", otel.kind = "client", db.query.summary = Empty,
        outcome = Empty, otel.status_code = Empty,
    )
}

/// The metadata document of a client is fetched.
pub fn document() -> Span {
    info_span!(
        target: TARGET, "metadata_document", otel.kind = "client", outcome = Empty,
        otel.status_code = Empty,
    )
}

/// A tool that is offered is called.
pub fn tool_call(tool: &str) -> Span {
    info_span!(
        target: TARGET, "tool", gen_ai.tool.name = tool, outcome = Empty, otel.status_code = Empty,
    )
}

/// Another MCP server is called; both names are in the settings.
pub fn remote_call(remote: &str, tool: &str) -> Span {
    info_span!(
        target: TARGET, "remote", otel.kind = "client", remote, gen_ai.tool.name = tool,
        outcome = Empty, otel.status_code = Empty,
    )
}

/// Something is handed on to the receiver that the settings name so.
pub fn delivery(destination: &str) -> Span {
    info_span!(
        target: TARGET, "delivery", otel.kind = "client", destination, outcome = Empty,
        otel.status_code = Empty,
    )
}

/// Whether what a span told went well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// It did, also where the answer is a no.
    Well,
    /// Something broke.
    Fault,
}

/// What came of it, in a word of ours.
pub fn ended(span: &Span, outcome: &str, end: End) {
    span.record("outcome", outcome);
    if end == End::Fault {
        span.record("otel.status_code", "ERROR");
    }
}

#[cfg(test)]
mod tests;
