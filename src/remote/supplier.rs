//! One other server: its kept connection, its breaker, and what it was found to refuse.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http::HeaderMap;
use serde_json::{Map, Value, json};
use tokio::time::{sleep, timeout};
use tracing::Instrument as _;

use crate::clock::{Clock, Stopwatch, Timestamp};
use crate::config::remote::{RemoteConfig, ToldOfPerson};
use crate::metrics::remotes::RemoteMetrics;
use crate::remote::Witness;
use crate::remote::answer::{self, ToolAnswer};
use crate::remote::breaker::Breaker;
use crate::remote::connection::Connection;
use crate::remote::fault::{Fault, NoAnswer};
use crate::remote::wire::{Answer, credential_header};
use crate::traces::{self, End};

/// How long a server that refused the person is spared another try.
pub const METADATA_REFUSED_FOR: Duration = Duration::from_mins(10);

/// JSON-RPC 2.0 §5.1: invalid request and invalid params.
const ABOUT_THE_CALL: [i64; 2] = [-32600, -32602];

/// Who asks, as far as another server may learn it.
#[derive(Clone, Copy)]
pub struct Person<'a> {
    /// Our own name for them, which never leaves the house.
    pub subject: &'a str,
    /// The e-mail address.
    pub email: &'a str,
    /// The organization, where it is known.
    pub organization: Option<&'a str>,
}

/// Another server.
pub struct Supplier {
    /// Who writes down that it was told of somebody.
    pub witness: Option<Arc<dyn Witness>>,
    /// Where calls are measured.
    pub metrics: RemoteMetrics,
    config: RemoteConfig,
    clock: Arc<dyn Clock>,
    /// Held while connecting, so that callers who come at once share one handshake.
    connection: tokio::sync::Mutex<Option<Arc<Connection>>>,
    breaker: Breaker,
    metadata_refused_at: Mutex<Option<Timestamp>>,
}

/// What a call sends.
struct Call<'a> {
    tool: &'a str,
    arguments: &'a Map<String, Value>,
    user: Option<Value>,
}

impl Supplier {
    /// Nothing is connected yet.
    pub fn new(config: RemoteConfig, clock: Arc<dyn Clock>) -> Self {
        Self {
            witness: None,
            metrics: RemoteMetrics::new(&[]),
            config,
            clock,
            connection: tokio::sync::Mutex::default(),
            breaker: Breaker::default(),
            metadata_refused_at: Mutex::default(),
        }
    }

    /// What it is called.
    pub fn name(&self) -> &str {
        &self.config.name
    }

    /// Calls a tool of it, within `at_most`. Dropped, it asks no more and leaves no mark.
    pub async fn call(
        &self,
        tool: &str,
        arguments: &Map<String, Value>,
        person: Option<Person<'_>>,
        at_most: Duration,
    ) -> Result<ToolAnswer, NoAnswer> {
        let Some(passage) = self.breaker.admit(self.clock.now()) else {
            return Err(NoAnswer::Resting);
        };
        let call = Call { tool, arguments, user: self.user(person) };
        if let (Some(witness), Some(person), Some(_)) = (&self.witness, person, &call.user) {
            witness.told(self.name(), person.subject, self.config.told_of_person.fields());
        }
        let began = Stopwatch::start();
        let deadline = at_most.min(self.config.call_timeout);
        let span = traces::remote_call(self.name(), tool);
        let attempts = self.attempts(&call).instrument(span.clone());
        let outcome = timeout(deadline, attempts).await.unwrap_or(Err(Fault::TooSlow));
        match outcome.and_then(|answer| check(answer, self.name())) {
            Ok(answer) => {
                passage.answered();
                let outcome = if answer.is_some() { "answered" } else { "refused" };
                self.metrics.called(self.name(), outcome, began.elapsed());
                traces::ended(&span, outcome, End::Well);
                self.metrics.rests(self.name(), false);
                answer.ok_or(NoAnswer::Refused)
            }
            Err(fault) => {
                let name = self.name();
                self.metrics.called(name, fault.word(), began.elapsed());
                traces::ended(&span, fault.word(), End::Fault);
                tracing::warn!(remote = name, %fault, "another MCP server failed");
                if passage.failed(self.clock.now()) {
                    tracing::warn!(remote = name, "it is left alone for a while");
                    self.metrics.rests(name, true);
                }
                Err(NoAnswer::Fault(fault))
            }
        }
    }

    /// Connects anew and lists its tools, as `gatehouse check` does.
    pub async fn examine(&self) -> Result<(String, Vec<Value>), Fault> {
        let connection = self.open().await?;
        let listing = timeout(self.config.call_timeout, connection.list_tools());
        let tools = listing.await.unwrap_or(Err(Fault::TooSlow))?;
        Ok((connection.revision().to_owned(), tools))
    }

    async fn attempts(&self, call: &Call<'_>) -> Result<Answer, Fault> {
        let fault = match self.attempt(call).await {
            Ok(answer) => return Ok(answer),
            Err(fault) => fault,
        };
        let Some(pause) = fault.worth_another_attempt() else { return Err(fault) };
        if !pause.is_zero() {
            sleep(pause).await;
        }
        self.attempt(call).await
    }

    /// One attempt on the kept connection, or on a new one. After a fault it is kept no longer.
    async fn attempt(&self, call: &Call<'_>) -> Result<Answer, Fault> {
        let connection = self.connected().await?;
        let outcome = self.ask(&connection, call).await;
        if outcome.is_err() {
            let mut kept = self.connection.lock().await;
            // Somebody else may have made another one meanwhile.
            if kept.as_ref().is_some_and(|kept| Arc::ptr_eq(kept, &connection)) {
                *kept = None;
            }
        }
        outcome
    }

    /// Asks; once more without the person, when it is the person that is refused. An error that
    /// stays without the person was about something else, and nothing is concluded from it.
    async fn ask(&self, connection: &Connection, call: &Call<'_>) -> Result<Answer, Fault> {
        let outcome = connection.call_tool(call.tool, call.arguments, call.user.as_ref()).await;
        if call.user.is_none() || !may_be_about_metadata(&outcome) {
            return outcome;
        }
        let again = connection.call_tool(call.tool, call.arguments, None).await;
        if matches!(&again, Ok(Answer::Result(_))) {
            tracing::warn!(remote = self.name(), "it refuses to be told who asks");
            *self.metadata_refused_at() = Some(self.clock.now());
        }
        again
    }

    async fn connected(&self) -> Result<Arc<Connection>, Fault> {
        let mut kept = self.connection.lock().await;
        if let Some(connection) = &*kept {
            return Ok(Arc::clone(connection));
        }
        let connection = Arc::new(self.open().await?);
        *kept = Some(Arc::clone(&connection));
        Ok(connection)
    }

    async fn open(&self) -> Result<Connection, Fault> {
        let credential = match &self.config.credential {
            // The settings let through only what can stand in a header.
            Some(credential) => credential_header(&credential.header, credential.value.expose())
                .map_err(|_| Fault::NoClient)?,
            None => HeaderMap::new(),
        };
        Connection::open(&self.config.url, credential, self.config.connect_timeout).await
    }

    /// What goes along as `_meta.user`.
    fn user(&self, person: Option<Person<'_>>) -> Option<Value> {
        let person = person?;
        let (_, domain) = person.email.rsplit_once('@')?;
        let company = match self.config.told_of_person {
            ToldOfPerson::Nothing => return None,
            ToldOfPerson::Domain => domain,
            ToldOfPerson::Organization => person.organization.unwrap_or(domain),
        };
        let refused_at = *self.metadata_refused_at();
        let now = self.clock.now();
        if refused_at.is_some_and(|at| now.is_within(at, METADATA_REFUSED_FOR)) {
            return None;
        }
        Some(json!({ "email": person.email, "company_name": company }))
    }

    fn metadata_refused_at(&self) -> std::sync::MutexGuard<'_, Option<Timestamp>> {
        self.metadata_refused_at.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn may_be_about_metadata(outcome: &Result<Answer, Fault>) -> bool {
    match outcome {
        Ok(Answer::Result(result)) => {
            result["isError"] == true && result["content"].to_string().contains("_meta")
        }
        Ok(Answer::Error { code, is_about_metadata }) => {
            *is_about_metadata || ABOUT_THE_CALL.contains(code)
        }
        Err(Fault::Status { status: 400, is_about_metadata, .. }) => *is_about_metadata,
        Err(_) => false,
    }
}

/// What an answer is: usable, a refusal of this call (`None`), or a fault of the server.
fn check(answer: Answer, name: &str) -> Result<Option<ToolAnswer>, Fault> {
    match answer {
        Answer::Result(result) if result["isError"] == true => Ok(None),
        Answer::Result(result) => {
            // MCP 2026-07-28: an answer can be a question to the client, which has nobody to ask.
            let kind = result.get("resultType").and_then(Value::as_str);
            if kind.is_some_and(|kind| kind != "complete") {
                return Err(Fault::Garbage);
            }
            answer::of_tool(&result, name).map(Some).ok_or(Fault::Garbage)
        }
        Answer::Error { code, .. } if ABOUT_THE_CALL.contains(&code) => Ok(None),
        Answer::Error { code, .. } => Err(Fault::Protocol(code)),
    }
}
