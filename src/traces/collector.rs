//! The way to the collector: OTLP over HTTP, as protobuf (OpenTelemetry Protocol 1.x, OTLP/HTTP).
//!
//! Spans wait in a queue that is bounded and are sent by a thread of its own, so that no request
//! ever waits for the collector. What does not fit, or is not taken, is dropped, and the log says
//! so once.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use http::{HeaderName, HeaderValue, header};
use opentelemetry::KeyValue;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::transform::common::tonic::ResourceAttributesWithSchema;
use opentelemetry_proto::transform::trace::tonic::group_spans_by_resource_and_scope;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{
    BatchConfigBuilder, BatchSpanProcessor, SdkTracerProvider, SpanData, SpanExporter,
};
use prost::Message as _;
use reqwest::Client;
use tokio::runtime::Handle;
use url::Url;

use crate::http_client::{self, NoHttpClient};
use crate::secret::Secret;
use crate::traces::IS_TOLD;
use crate::traces::sampling::Sampling;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
const TOTAL_TIMEOUT: Duration = Duration::from_secs(5);

/// How many spans wait at most; a trace has some ten of them, of about a kilobyte each.
const QUEUE_MAX: usize = 4096;
const BATCH_MAX: usize = 512;

/// How long a span waits at most before it is sent.
const SENT_EVERY: Duration = Duration::from_secs(2);

/// How long a stop waits for the last spans to be sent.
pub const LAST_SPANS_MAX: Duration = Duration::from_secs(3);

/// Where the collector is, and what it is told of us.
#[derive(Clone)]
pub struct Collector {
    /// Where traces are posted.
    pub url: Url,
    /// What goes along, credentials perhaps.
    pub headers: Vec<(HeaderName, Secret)>,
    /// Who tells: `service.name` and its like.
    pub resource: Vec<(String, String)>,
}

/// Why the collector did not take what it was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotTaken {
    /// Nobody was reached.
    NoConnection,
    /// No answer came in time, or it broke off.
    NoAnswer,
    /// An answer that is no 2xx.
    Status(u16),
}

impl fmt::Display for NotTaken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoConnection => f.write_str("no_connection"),
            Self::NoAnswer => f.write_str("no_answer"),
            Self::Status(status) => write!(f, "status_{status}"),
        }
    }
}

/// The HTTP client of one collector.
#[derive(Clone)]
pub struct Post {
    client: Client,
    collector: Collector,
}

// The address and the headers may hold a key.
impl fmt::Debug for Post {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Post(…)")
    }
}

impl Post {
    /// A client; nothing is connected yet.
    pub fn to(collector: Collector) -> Result<Self, NoHttpClient> {
        let builder = http_client::builder_to(&collector.url)
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(TOTAL_TIMEOUT);
        Ok(Self { client: http_client::build(builder)?, collector })
    }

    /// Posts nothing at all, which a collector takes: for `gatehouse check`.
    pub async fn look(&self) -> Result<(), NotTaken> {
        self.send(Vec::new()).await
    }

    /// Posts a message. Of the answer only its status is read.
    async fn send(&self, body: Vec<u8>) -> Result<(), NotTaken> {
        let mut request = self.client.post(self.collector.url.clone()).body(body);
        for (name, value) in &self.collector.headers {
            request = request.header(name, value.expose());
        }
        let protobuf = HeaderValue::from_static("application/x-protobuf");
        match request.header(header::CONTENT_TYPE, protobuf).send().await {
            Ok(response) if response.status().is_success() => Ok(()),
            Ok(response) => Err(NotTaken::Status(response.status().as_u16())),
            // The kind alone: an error's own words would tell the address.
            Err(error) if error.is_connect() => Err(NotTaken::NoConnection),
            Err(_) => Err(NotTaken::NoAnswer),
        }
    }
}

/// What sends spans. Its caller is a thread without a runtime, so the runtime of the service does.
#[derive(Debug)]
struct Exporter {
    post: Post,
    runtime: Handle,
    resource: ResourceAttributesWithSchema,
    is_failing: AtomicBool,
}

impl SpanExporter for Exporter {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let spans = batch.len();
        let resource_spans = group_spans_by_resource_and_scope(batch, &self.resource);
        let body = ExportTraceServiceRequest { resource_spans }.encode_to_vec();
        let post = self.post.clone();
        let sent = self.runtime.spawn(async move { post.send(body).await }).await;
        // An error means that the runtime ends, and everything with it.
        self.tell(spans, sent.unwrap_or(Err(NotTaken::NoAnswer)));
        // It is told here, once; the library would tell it each time.
        Ok(())
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.resource = resource.into();
    }
}

impl Exporter {
    fn tell(&self, spans: usize, sent: Result<(), NotTaken>) {
        let was_failing = self.is_failing.swap(sent.is_err(), Ordering::Relaxed);
        match sent {
            Err(reason) if !was_failing => tracing::warn!(
                %reason, spans, "spans are dropped: the collector of traces does not take them",
            ),
            Ok(()) if was_failing => tracing::info!("the collector takes traces again"),
            Ok(()) | Err(_) => {}
        }
    }
}

/// The traces of a process: what makes them and sends them. Built on the runtime that sends.
pub fn provider(
    collector: Collector,
    share_hundredths: u16,
) -> Result<SdkTracerProvider, NoHttpClient> {
    let told = collector.resource.clone();
    let told = told.into_iter().map(|(name, value)| KeyValue::new(name, value));
    let exporter = Exporter {
        post: Post::to(collector)?,
        runtime: Handle::current(),
        resource: ResourceAttributesWithSchema::default(),
        is_failing: AtomicBool::new(false),
    };
    let bounds = BatchConfigBuilder::default()
        .with_max_queue_size(QUEUE_MAX)
        .with_max_export_batch_size(BATCH_MAX)
        .with_scheduled_delay(SENT_EVERY)
        .build();
    let sending = BatchSpanProcessor::builder(exporter).with_batch_config(bounds).build();
    IS_TOLD.store(true, Ordering::Relaxed);
    Ok(SdkTracerProvider::builder()
        .with_span_processor(sending)
        .with_sampler(Sampling::new(share_hundredths))
        .with_resource(Resource::builder_empty().with_attributes(told).build())
        .build())
}

/// Sends the last spans, and ends. Waits no longer than [`LAST_SPANS_MAX`].
pub async fn end(provider: SdkTracerProvider) {
    let ending =
        tokio::task::spawn_blocking(move || provider.shutdown_with_timeout(LAST_SPANS_MAX));
    if !matches!(ending.await, Ok(Ok(()))) {
        tracing::warn!("the last spans are dropped: the collector of traces did not answer");
    }
}
