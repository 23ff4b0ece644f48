//! Other people's MCP servers: some of their tools are offered here under names of ours.
//!
//! What this room promises of a call:
//!
//! 1. [`breaker`]: a server that failed several times in a row is left alone for a while.
//! 2. [`connection`]: the handshake of either era is done once and kept. [`wire`] is JSON-RPC over
//!    Streamable HTTP, with a bound on every answer and no redirect.
//! 3. [`supplier`]: one deadline over the call with all its attempts; one more attempt, on a fresh
//!    connection, when the fault was a passing one; once more without the person when the person is
//!    what was refused.
//! 4. [`arguments`] makes their arguments of ours; [`answer`] takes from what came back the text,
//!    cleaned and bounded, and the sections, if it has any.
//!
//! The transport is our own, on reqwest, and not the client of rmcp. That one answers both eras as
//! well, by a worker behind a channel that keeps a stream open to every older server and repeats
//! calls by rules of its own. Here a call is one POST that ends when its caller goes away; it has
//! to be known whether a fault was the network's, the server's or the session's, what a 429 says
//! about when to come back, and whether a 400 was about `_meta`; and that is most of what there is
//! to do.
//!
//! A server that asks something back (sampling, elicitation) is not answered, and streams are not
//! resumed: the one more attempt stands for it.
//!
//! Never here: our caller's token, OAuth, the store, what a model is told when a call fails.

pub mod answer;
pub mod arguments;
pub mod breaker;
pub mod connection;
pub mod events;
pub mod fault;
pub mod supplier;
pub mod wire;

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value};

use crate::clock::Clock;
use crate::config::remote::RemoteConfig;
use crate::config::remote_tool::{Offered, Place, ToolConfig};
use crate::metrics::remotes::RemoteMetrics;
use crate::remote::answer::ToolAnswer;
use crate::remote::fault::NoAnswer;
use crate::remote::supplier::{Person, Supplier};

/// Every tool of another server that is offered here.
#[derive(Default)]
pub struct Remotes(Vec<Arc<RemoteTool>>);

/// One of them.
pub struct RemoteTool {
    /// Its name there, what it is here, and how arguments are made.
    pub config: ToolConfig,
    supplier: Arc<Supplier>,
}

/// Whoever writes down that a person's address went along with a call. It is told in the middle of
/// the call, so it must not take its time.
pub trait Witness: Send + Sync + 'static {
    /// `remote` was told these things of the person with this subject.
    fn told(&self, remote: &str, subject: &str, fields: &'static [&'static str]);
}

impl Remotes {
    /// Makes them ready; nothing is connected before the first call.
    pub fn new(
        configs: &[RemoteConfig],
        clock: &Arc<dyn Clock>,
        witness: Option<&Arc<dyn Witness>>,
        metrics: &RemoteMetrics,
    ) -> Self {
        let mut tools = Vec::new();
        for config in configs {
            let mut supplier = Supplier::new(config.clone(), Arc::clone(clock));
            supplier.witness = witness.cloned();
            supplier.metrics = metrics.clone();
            let supplier = Arc::new(supplier);
            tools.extend(config.tools.iter().map(|tool| {
                Arc::new(RemoteTool { config: tool.clone(), supplier: Arc::clone(&supplier) })
            }));
        }
        Self(tools)
    }

    /// The tools that are offered in this place, in the order of the file.
    pub fn in_place_of(&self, place: Place) -> impl Iterator<Item = &Arc<RemoteTool>> {
        self.0.iter().filter(move |tool| tool.config.offered == Offered::InPlaceOf(place))
    }

    /// Every tool, in the order of the file.
    pub fn all(&self) -> &[Arc<RemoteTool>] {
        &self.0
    }
}

impl RemoteTool {
    /// What the other server is called.
    pub fn supplier_name(&self) -> &str {
        self.supplier.name()
    }

    /// Calls it with our inputs, already checked. It ends within the deadline of the server, and
    /// within `at_most` if that is sooner.
    pub async fn call(
        &self,
        inputs: &Map<String, Value>,
        person: Option<Person<'_>>,
        at_most: Duration,
    ) -> Result<ToolAnswer, NoAnswer> {
        let arguments = arguments::theirs(&self.config, inputs)?;
        self.supplier.call(&self.config.remote, &arguments, person, at_most).await
    }
}
