//! How often who may ask: fixed windows, counted in memory, shared by replicas through leases.
//!
//! 1. Each replica counts by itself (`counter`), so that no request waits for the database. Whom it
//!    counts is kept in a cache of bounded size.
//! 2. Who has used up a lease on a replica (`window`) waits there to be settled.
//! 3. A task settles all who wait in one write per limit (`settlement`): it adds what this replica
//!    has counted to what all have, and takes the sum over.
//!
//! So a handful of calls is never written down, and replicas together allow at most the limit, a
//! lease for each but one, and what arrives while a settlement is under way. While the database is
//! away each counts alone.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use quick_cache::sync::Cache;
use tokio::sync::{Mutex, Notify};

use crate::clock::Timestamp;
use crate::config::Config;
use crate::config::values::Limit;
use crate::flow::limits::counter::{Counter, KEYS_MAX};
use crate::id::{GrantId, UserId};
use crate::secret::SecretHash;

pub mod counter;
pub mod settlement;
pub mod window;

#[cfg(test)]
mod tests;

/// Whom a count belongs to.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Counted {
    /// A person, whatever address they come from: hosted clients share few addresses.
    Person(UserId),
    /// An address; of IPv6 the /64 that one host may use freely.
    Address(IpAddr),
    /// One sign-in.
    Grant(GrantId),
    /// A client at an address, when no sign-in is known.
    ClientAt(String, IpAddr),
    /// A host that metadata documents are fetched from.
    Host(String),
}

impl Counted {
    /// An address, as it is counted.
    pub fn address(address: IpAddr) -> Self {
        Self::Address(counted_address(address))
    }

    /// A client at an address, as it is counted.
    pub fn client_at(client_id: &str, address: IpAddr) -> Self {
        Self::ClientAt(client_id.to_owned(), counted_address(address))
    }
}

/// The network that an address is counted as: itself, or the /64 of IPv6.
pub fn counted_address(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => {
            let network = v6.to_bits() & !u128::from(u64::MAX);
            IpAddr::V6(std::net::Ipv6Addr::from_bits(network))
        }
        v4 @ IpAddr::V4(_) => v4,
    }
}

/// Where a caller stands in its window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reading {
    /// Whether this event is within the limit.
    pub allowed: bool,
    /// Events of one window.
    pub limit: u32,
    /// Events left in this one.
    pub remaining: u32,
    /// Until the next window begins.
    pub resets_in: Duration,
}

impl Reading {
    /// Whole seconds until the next window, at least one.
    pub fn retry_after_seconds(&self) -> u64 {
        self.resets_in.as_millis().div_ceil(1000).max(1).try_into().unwrap_or(u64::MAX)
    }
}

/// The limits of the contract.
pub struct Limits {
    /// `/mcp`, per person.
    pub mcp: Arc<Counter>,
    /// `/mcp` without a token, per address.
    pub mcp_anonymous: Arc<Counter>,
    /// Registrations, per address.
    pub register: Arc<Counter>,
    /// Token requests, per grant once it is known, else per client and address.
    pub token: Arc<Counter>,
    /// Metadata documents fetched, per address that asks.
    pub cimd: Arc<Counter>,
    /// The same, per host they are fetched from: many addresses together must not make us a
    /// nuisance to it.
    pub cimd_host: Arc<Counter>,
    /// All of them, for those who settle.
    all: Vec<Arc<Counter>>,
    /// Told when somebody waits to be settled.
    wakeup: Arc<Notify>,
    /// Held by whoever settles: of two settlements at once the second could not tell what the first
    /// has told.
    settling: Mutex<()>,
    /// Which grant a refresh token belongs to that this replica handed out: lets the limit of the
    /// grant be seen before the database is asked.
    heads: Cache<SecretHash, GrantId>,
}

impl Limits {
    /// As configured.
    pub fn new(config: &Config) -> Self {
        let wakeup = Arc::new(Notify::new());
        let mut all = Vec::new();
        let mut counter = |name, limit| {
            let counter = Arc::new(Counter::new(name, limit, Arc::clone(&wakeup)));
            all.push(Arc::clone(&counter));
            counter
        };
        Self {
            mcp: counter("limit_mcp", config.limit_mcp),
            mcp_anonymous: counter("limit_mcp_anonymous", config.limit_mcp_anonymous),
            register: counter("limit_register", config.limit_register),
            token: counter("limit_token", config.limit_token),
            cimd: counter("limit_cimd", config.limit_cimd),
            cimd_host: counter("limit_cimd", of_a_host(config.limit_cimd)),
            all,
            wakeup,
            settling: Mutex::default(),
            heads: Cache::new(KEYS_MAX),
        }
    }

    /// The reading of a grant that has used its window up.
    pub fn grant_over_limit(&self, grant_id: GrantId, now: Timestamp) -> Option<Reading> {
        let reading = self.token.look(&Counted::Grant(grant_id), now);
        (!reading.allowed).then_some(reading)
    }

    /// The grant of a refresh token that this replica handed out.
    pub fn grant_of_head(&self, presented: SecretHash) -> Option<GrantId> {
        self.heads.get(&presented)
    }

    /// Counts one rotation of a grant and remembers its new head.
    pub fn count_head(&self, grant_id: GrantId, head: SecretHash, now: Timestamp) {
        self.token.count(Counted::Grant(grant_id), now);
        self.heads.insert(head, grant_id);
    }
}

/// What one host may be asked, for what one address may ask.
const fn of_a_host(limit: Limit) -> Limit {
    Limit { count: limit.count.saturating_mul(10), window: limit.window }
}
