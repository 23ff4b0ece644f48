//! What counts calls, and keeps what is asked, as configured.

use std::sync::Arc;

use crate::attribution::searches::recorder::SearchRecorder;
use crate::attribution::sinks::Sinks;
use crate::attribution::usage::recorder::UsageRecorder;
use crate::clock::Clock;
use crate::config::Config;
use crate::secret::Entropy;
use crate::store::Store;

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
