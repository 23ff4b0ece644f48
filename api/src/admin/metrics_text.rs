//! What is counted, as Prometheus reads it.

use poem::http::header;
use poem::{IntoResponse, Response};
use poem_openapi::ApiResponse;
use poem_openapi::registry::{MetaMediaType, MetaResponse, MetaResponses, Registry};
use poem_openapi::types::Type;

/// The text exposition format, in the version that every scraper reads.
const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Metrics in the text format.
pub struct MetricsText(pub String);

impl IntoResponse for MetricsText {
    fn into_response(self) -> Response {
        Response::builder().header(header::CONTENT_TYPE, CONTENT_TYPE).body(self.0)
    }
}

impl ApiResponse for MetricsText {
    fn meta() -> MetaResponses {
        let media = MetaMediaType { content_type: "text/plain", schema: String::schema_ref() };
        let counted = MetaResponse {
            description: "Everything that is counted",
            status: Some(200),
            status_range: None,
            content: vec![media],
            headers: Vec::new(),
        };
        MetaResponses { responses: vec![counted] }
    }

    fn register(_: &mut Registry) {}
}
