//! The identity provider: what it was asked, and how long it took.

use std::time::Duration;

use prometheus::HistogramVec;
use prometheus::core::Collector;

use crate::metrics::{Part, seconds};

/// What the provider was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProviderCall {
    /// Where its endpoints are.
    Discovery,
    /// Its keys.
    Keys,
    /// An ID token for a code.
    Token,
}

impl ProviderCall {
    /// The word by which it is counted and told.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Discovery => "discovery",
            Self::Keys => "keys",
            Self::Token => "token",
        }
    }
}

/// The measurements. A copy counts into the same series.
#[derive(Clone, Debug)]
pub struct ProviderMetrics {
    requests: HistogramVec,
}

impl Default for ProviderMetrics {
    fn default() -> Self {
        let labels = ["call", "outcome"];
        let help = "Time until the identity provider answered, by what it was asked for.";
        Self { requests: seconds("gatehouse_provider_request_seconds", help, &labels) }
    }
}

impl ProviderMetrics {
    /// The provider answered, or not.
    pub fn asked(&self, call: ProviderCall, outcome: &'static str, took: Duration) {
        self.requests.with_label_values(&[call.name(), outcome]).observe(took.as_secs_f64());
    }
}

impl Part for ProviderMetrics {
    fn collectors(&self) -> Vec<Box<dyn Collector>> {
        vec![Box::new(self.requests.clone())]
    }
}
