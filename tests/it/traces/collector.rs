//! A collector of OpenTelemetry: what it was sent, as it came and as it reads.

use std::collections::BTreeMap;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{KeyValue, any_value::Value};
use prost::Message as _;
use wiremock::matchers::{method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

/// What it wants to be shown.
pub const KEY: &str = "collector-key-7";

pub struct Collector(MockServer);

/// A span, as far as stories look.
#[derive(Clone, Debug)]
pub struct Told {
    pub name: String,
    pub trace_id: String,
    pub span_id: String,
    pub parent_id: String,
    pub is_error: bool,
    pub attributes: BTreeMap<String, String>,
}

impl Collector {
    pub async fn start() -> Self {
        let server = MockServer::start().await;
        Mock::given(method("POST"))
            .and(path("/v1/traces"))
            .respond_with(ResponseTemplate::new(200))
            .mount(&server)
            .await;
        Self(server)
    }

    pub fn url(&self) -> String {
        format!("{}/v1/traces", self.0.uri())
    }

    pub async fn requests(&self) -> Vec<wiremock::Request> {
        self.0.received_requests().await.expect("they are recorded")
    }

    /// All that it was told, in the order it came.
    pub async fn told(&self) -> Vec<Told> {
        let mut told = Vec::new();
        for request in self.requests().await {
            let message = ExportTraceServiceRequest::decode(&*request.body).expect("it is OTLP");
            let scopes = message.resource_spans.into_iter().flat_map(|spans| spans.scope_spans);
            for span in scopes.flat_map(|scope| scope.spans) {
                assert!(span.events.is_empty() && span.links.is_empty(), "{span:?}");
                assert_eq!(span.trace_state, "");
                told.push(Told {
                    name: span.name,
                    trace_id: hexadecimal(&span.trace_id),
                    span_id: hexadecimal(&span.span_id),
                    parent_id: hexadecimal(&span.parent_span_id),
                    is_error: span.status.is_some_and(|status| status.code == 2),
                    attributes: attributes(span.attributes),
                });
            }
        }
        told
    }

    /// What it was told of who tells.
    pub async fn resource(&self) -> BTreeMap<String, String> {
        let first = self.requests().await.remove(0);
        let mut message = ExportTraceServiceRequest::decode(&*first.body).expect("it is OTLP");
        attributes(message.resource_spans.remove(0).resource.expect("it says who").attributes)
    }
}

fn attributes(attributes: Vec<KeyValue>) -> BTreeMap<String, String> {
    let text = |value: Option<Value>| match value {
        Some(Value::StringValue(text)) => text,
        Some(Value::IntValue(number)) => number.to_string(),
        other => panic!("{other:?} is neither a text nor a number"),
    };
    let pairs = attributes.into_iter();
    pairs.map(|it| (it.key, text(it.value.and_then(|value| value.value)))).collect()
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}
