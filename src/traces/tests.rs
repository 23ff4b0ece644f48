use http::HeaderValue;

use super::*;

/// The lines of a header, as one that may be asked about a trace.
fn parent_of(lines: &[(&'static str, &'static str)]) -> opentelemetry::Context {
    let mut headers = HeaderMap::new();
    for (name, line) in lines {
        headers.append(*name, HeaderValue::from_static(line));
    }
    TraceContextPropagator::new().extract(&OnlyTraceparent(&headers))
}

#[test]
fn of_a_caller_one_header_is_read_and_only_if_it_is_one() {
    const GOOD: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    const OTHER: &str = "00-1af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    for (lines, is_one) in [
        (&[("traceparent", GOOD)][..], true),
        (&[("traceparent", GOOD), ("tracestate", "a=alice@example.com")], true),
        (&[("traceparent", GOOD), ("traceparent", OTHER)], false),
        (&[("traceparent", "00-alice-1-01")], false),
        (&[("tracestate", "a=b")], false),
        (&[], false),
    ] {
        let parent = parent_of(lines);
        let told = parent.span().span_context().clone();
        assert_eq!(told.is_valid(), is_one, "{lines:?}");
        assert_eq!(told.trace_state().header(), "", "{lines:?}");
    }
}

#[test]
fn without_a_collector_nothing_is_traced() {
    let request = Request::traced("1f-2", &Method::GET, "/mcp", None);
    assert_eq!(request.trace_id, None);
    assert!(request.span.is_disabled() && transaction("gatehouse::flow::refresh").is_disabled());
    request.answered(500);
}
