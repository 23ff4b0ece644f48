//! Which requests are traced.
//!
//! Chance decides, by the share that the settings give, and never what a caller says: a trace that
//! is taken over from a proxy can be spared by the proxy's own decision and not forced. Whatever
//! the share, a process begins only so many traces a second, so that whoever makes requests without
//! end fills neither the collector nor the memory on the way to it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use opentelemetry::trace::{Link, SpanKind, TraceContextExt as _, TraceId, TraceState};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::trace::{SamplingDecision, SamplingResult, ShouldSample};

use crate::clock::Stopwatch;
use crate::secret::{Entropy, SystemEntropy};
use crate::traces::{DELIVERY, REQUEST};

/// How many traces a process begins in a second.
pub const TRACES_PER_SECOND_MAX: u32 = 100;

const SECOND: Duration = Duration::from_secs(1);

/// Hundredths of a percent that are everything.
const ALL: u32 = 10_000;

/// Decides for each span, when it begins.
#[derive(Clone, Debug)]
pub struct Sampling {
    share_hundredths: u16,
    begun: Arc<Mutex<Begun>>,
}

/// What was begun in the second that is running.
#[derive(Debug)]
struct Begun {
    since: Stopwatch,
    traces: u32,
}

impl Sampling {
    /// Traces a share of all requests, in hundredths of a percent.
    pub fn new(share_hundredths: u16) -> Self {
        let begun = Begun { since: Stopwatch::start(), traces: 0 };
        Self { share_hundredths, begun: Arc::new(Mutex::new(begun)) }
    }

    fn decide(&self, parent: Option<&Context>, name: &str) -> bool {
        let parent = parent.map(|context| context.span().span_context().clone());
        match parent.filter(opentelemetry::trace::SpanContext::is_valid) {
            Some(parent) if !parent.is_remote() => parent.is_sampled(),
            Some(parent) if !parent.is_sampled() => false,
            // What nobody asked for, like a look into the outbox, is no trace of its own.
            _ => [REQUEST, DELIVERY].contains(&name) && self.draw() && self.has_room(),
        }
    }

    /// The trace's own number is not what decides: a caller chooses it.
    fn draw(&self) -> bool {
        let mut bytes = [0; 8];
        SystemEntropy.fill(&mut bytes);
        u64::from_be_bytes(bytes) % u64::from(ALL) < u64::from(self.share_hundredths)
    }

    fn has_room(&self) -> bool {
        let mut begun = self.begun.lock().unwrap_or_else(PoisonError::into_inner);
        if begun.since.elapsed() >= SECOND {
            *begun = Begun { since: Stopwatch::start(), traces: 0 };
        }
        begun.traces += 1;
        begun.traces <= TRACES_PER_SECOND_MAX
    }
}

impl ShouldSample for Sampling {
    fn should_sample(
        &self,
        parent: Option<&Context>,
        _: TraceId,
        name: &str,
        _: &SpanKind,
        _: &[KeyValue],
        _: &[Link],
    ) -> SamplingResult {
        let decision = if self.decide(parent, name) {
            SamplingDecision::RecordAndSample
        } else {
            SamplingDecision::Drop
        };
        SamplingResult { decision, attributes: Vec::new(), trace_state: TraceState::default() }
    }
}

#[cfg(test)]
mod tests {
    use opentelemetry::trace::{SpanContext, SpanId, TraceFlags};

    use super::*;

    fn parent(is_sampled: bool, is_remote: bool) -> Context {
        let flags = if is_sampled { TraceFlags::SAMPLED } else { TraceFlags::default() };
        let (trace, span) = (TraceId::from(7), SpanId::from(7));
        let context = SpanContext::new(trace, span, flags, is_remote, TraceState::default());
        Context::new().with_remote_span_context(context)
    }

    #[test]
    fn a_caller_can_spare_a_trace_and_not_force_one() {
        let (all, none) = (Sampling::new(10_000), Sampling::new(0));
        for (sampling, parent, name, is_traced) in [
            (&all, None, REQUEST, true),
            (&all, None, DELIVERY, true),
            (&none, None, REQUEST, false),
            (&all, Some(parent(true, true)), REQUEST, true),
            (&none, Some(parent(true, true)), REQUEST, false),
            (&all, Some(parent(false, true)), REQUEST, false),
            // Parts are told as their whole is.
            (&none, Some(parent(true, false)), "transaction", true),
            (&all, Some(parent(false, false)), "transaction", false),
            (&all, None, "transaction", false),
        ] {
            assert_eq!(sampling.decide(parent.as_ref(), name), is_traced, "{parent:?} {name}");
        }
    }

    #[test]
    fn a_share_is_about_that_share() {
        let half = Sampling::new(5_000);
        let drawn = (0..10_000).filter(|_| half.draw()).count();
        assert!((4_500..5_500).contains(&drawn), "{drawn}");
    }

    #[test]
    fn only_so_many_begin_in_a_second() {
        let all = Sampling::new(10_000);
        let begun = (0..10 * TRACES_PER_SECOND_MAX).filter(|_| all.decide(None, REQUEST)).count();
        let max = TRACES_PER_SECOND_MAX as usize;
        // A machine that stands still for a second between two of them may begin as many again.
        assert!((max..10 * max).contains(&begun), "{begun}");
    }
}
