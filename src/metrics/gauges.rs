//! What has a state instead of a count. It is read off when somebody asks for the metrics.

use prometheus::IntGaugeVec;
use prometheus::core::Collector;

use crate::metrics::{Part, gauge};

/// Connections to the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolUse {
    /// Which pool: `writer` or `reader`, which are one on Postgres.
    pub pool: &'static str,
    /// Those that are at work.
    pub in_use: u32,
    /// Those that wait for work.
    pub idle: u32,
    /// How many there may be.
    pub max: u32,
}

/// What waits in the outbox for a destination.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Waiting {
    /// How many.
    pub waiting: i64,
    /// For how many seconds the oldest has.
    pub oldest_seconds: i64,
}

/// The gauges.
pub struct Gauges {
    pool: IntGaugeVec,
    waiting: IntGaugeVec,
    oldest: IntGaugeVec,
    pages: IntGaugeVec,
    ready: IntGaugeVec,
    build: IntGaugeVec,
    destinations: Vec<String>,
}

impl Gauges {
    /// For these destinations of the outbox.
    pub fn new(destinations: &[String]) -> Self {
        let outbox = |what: &str, help: &str| {
            gauge(&format!("gatehouse_outbox_{what}"), help, &["destination"])
        };
        let gauges = Self {
            pool: gauge(
                "gatehouse_store_connections",
                "Connections to the database, by pool and state.",
                &["pool", "state"],
            ),
            waiting: outbox("waiting", "Parcels that are to be delivered, of all replicas."),
            oldest: outbox("oldest_seconds", "For how long the oldest of them has waited."),
            pages: gauge("gatehouse_index_pages", "Pages that can be searched.", &["index"]),
            ready: gauge(
                "gatehouse_part_ready",
                "What /readyz says of each part: 1 when it is well.",
                &["part"],
            ),
            build: gauge(
                "gatehouse_build_info",
                "1, with the version of the program.",
                &["version"],
            ),
            destinations: destinations.to_vec(),
        };
        gauges.build.with_label_values(&[env!("CARGO_PKG_VERSION")]).set(1);
        gauges
    }

    /// How the connections are used.
    pub fn pool(&self, PoolUse { pool, in_use, idle, max }: PoolUse) {
        for (state, connections) in [("in_use", in_use), ("idle", idle), ("max", max)] {
            self.pool.with_label_values(&[pool, state]).set(i64::from(connections));
        }
    }

    /// The destinations that have a series.
    pub fn destinations(&self) -> &[String] {
        &self.destinations
    }

    /// What waits for a destination; of others nothing is shown.
    pub fn outbox(&self, destination: &str, waiting: Waiting) {
        if !self.destinations.iter().any(|known| known == destination) {
            return;
        }
        self.waiting.with_label_values(&[destination]).set(waiting.waiting);
        self.oldest.with_label_values(&[destination]).set(waiting.oldest_seconds);
    }

    /// What waits is not known: the database does not answer. An old number would look like one.
    pub fn outbox_unknown(&self) {
        for gauge in [&self.waiting, &self.oldest] {
            gauge.reset();
        }
    }

    /// How many pages can be searched.
    pub fn pages(&self, pages: usize) {
        let pages = i64::try_from(pages).unwrap_or(i64::MAX);
        self.pages.with_label_values(&["documentation"]).set(pages);
    }

    /// How a part is.
    pub fn part(&self, part: &'static str, is_well: bool) {
        self.ready.with_label_values(&[part]).set(i64::from(is_well));
    }
}

impl Part for Gauges {
    fn collectors(&self) -> Vec<Box<dyn Collector>> {
        let Self { pool, waiting, oldest, pages, ready, build, .. } = self;
        let all = [pool, waiting, oldest, pages, ready, build];
        all.into_iter().map(|gauge| Box::new(gauge.clone()) as _).collect()
    }
}
