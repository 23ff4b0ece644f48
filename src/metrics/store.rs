//! The database: how long a write takes, and what had to be done again.

use std::time::Duration;

use prometheus::core::Collector;
use prometheus::{HistogramVec, IntCounterVec};

use crate::metrics::{Part, counter, seconds};

/// How a transaction ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TransactionEnd {
    /// What it did stands.
    Committed,
    /// It failed, or its commit was not answered.
    Failed,
}

/// Why something is done again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// The database asks for it: another transaction was in the way.
    Serialization,
    /// The connection was lost before anything can have happened.
    ConnectionLost,
}

/// The measurements; made with the store, before there is anything else.
#[derive(Debug)]
pub struct StoreMetrics {
    transactions: HistogramVec,
    retries: IntCounterVec,
}

impl Default for StoreMetrics {
    fn default() -> Self {
        let metrics = Self {
            transactions: seconds(
                "gatehouse_store_transaction_seconds",
                "Time from asking for a connection to the end of a writing transaction, with all \
                 its attempts.",
                &["outcome"],
            ),
            retries: counter(
                "gatehouse_store_retries_total",
                "Transactions that were run again, by reason.",
                &["reason"],
            ),
        };
        for retry in [Retry::Serialization, Retry::ConnectionLost] {
            metrics.retries.with_label_values(&[retry.name()]);
        }
        metrics
    }
}

impl TransactionEnd {
    /// The word by which it is counted and told.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Committed => "committed",
            Self::Failed => "failed",
        }
    }
}

impl Retry {
    const fn name(self) -> &'static str {
        match self {
            Self::Serialization => "serialization",
            Self::ConnectionLost => "connection_lost",
        }
    }
}

impl StoreMetrics {
    /// A writing transaction ended.
    pub fn ended(&self, end: TransactionEnd, took: Duration) {
        self.transactions.with_label_values(&[end.name()]).observe(took.as_secs_f64());
    }

    /// A transaction is run again.
    pub fn retried(&self, retry: Retry) {
        self.retries.with_label_values(&[retry.name()]).inc();
    }
}

impl Part for StoreMetrics {
    fn collectors(&self) -> Vec<Box<dyn Collector>> {
        vec![Box::new(self.transactions.clone()), Box::new(self.retries.clone())]
    }
}
