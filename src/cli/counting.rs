//! What counts calls, and keeps what is asked, as configured; and what is measured.

use std::sync::Arc;

use crate::attribution::feedback::DESTINATION;
use crate::attribution::searches::recorder::SearchRecorder;
use crate::attribution::sinks::Sinks;
use crate::attribution::usage::metered::Metered;
use crate::attribution::usage::recorder::UsageRecorder;
use crate::cli::enforcement::offered;
use crate::clock::Clock;
use crate::config::Config;
use crate::config::sink::SinkConfig;
use crate::mcp::usage::UsageBook;
use crate::metrics::{Metrics, Names};
use crate::secret::Entropy;
use crate::store::Store;

/// What is counted of the running service; names in the settings are the only ones it shows.
pub fn metrics(config: &Config, store: &Store) -> Metrics {
    let feedback = config.feedback.iter().map(|_| DESTINATION.to_owned());
    let names = Names {
        tools: offered(config),
        remotes: config.remotes.iter().map(|remote| remote.name.clone()).collect(),
        destinations: feedback.chain(config.sinks.iter().map(SinkConfig::destination)).collect(),
    };
    Metrics::new(&names, &store.metrics)
}

/// The book of usage, measured.
pub fn metered(usage: &Arc<UsageRecorder>, metrics: &Arc<Metrics>) -> Arc<dyn UsageBook> {
    let book = Arc::clone(usage) as _;
    Arc::new(Metered { book, metrics: Arc::clone(metrics) })
}

/// What counts calls.
pub fn usage_recorder(
    config: &Config,
    store: &Store,
    clock: &Arc<dyn Clock>,
    entropy: &Arc<dyn Entropy>,
    sinks: &Arc<Sinks>,
) -> UsageRecorder {
    let is_asked = config.usage.keep_queries || config.usage.ask_context;
    let searches = is_asked.then(|| {
        let (clock, entropy) = (Arc::clone(clock), Arc::clone(entropy));
        SearchRecorder::new(store.clone(), Arc::clone(&config.secret), clock, entropy)
    });
    let clock = Arc::clone(clock);
    let told = (Arc::clone(sinks), searches);
    UsageRecorder::new(store.clone(), clock, Arc::clone(entropy), config.usage.kept, told)
}
