//! How often who may ask: fixed windows, counted in memory, bounded in size.
//!
//! Each replica counts by itself, so n replicas allow at most n times the limit. The keys are kept
//! in a cache of bounded size that forgets the least used first; forgetting one only ever gives
//! somebody a fresh window.

use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use quick_cache::sync::Cache;

use crate::clock::Timestamp;
use crate::config::Config;
use crate::config::values::Limit;
use crate::id::{GrantId, UserId};
use crate::secret::SecretHash;

/// The most callers counted at once, per limit.
const KEYS_MAX: usize = 50_000;

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

fn counted_address(address: IpAddr) -> IpAddr {
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

struct Window {
    began_at: Timestamp,
    used: u32,
}

/// One limit and everybody counted under it.
pub struct Counter {
    limit: Limit,
    windows: Cache<Counted, Arc<Mutex<Window>>>,
}

impl Counter {
    fn new(limit: Limit) -> Self {
        Self { limit, windows: Cache::new(KEYS_MAX) }
    }

    /// Counts one event.
    pub fn count(&self, who: Counted, now: Timestamp) -> Reading {
        self.with_window(who, now, |window, limit| {
            let allowed = window.used < limit.count;
            window.used = window.used.saturating_add(1);
            allowed
        })
    }

    /// Looks without counting.
    pub fn look(&self, who: Counted, now: Timestamp) -> Reading {
        self.with_window(who, now, |window, limit| window.used < limit.count)
    }

    fn with_window(
        &self,
        who: Counted,
        now: Timestamp,
        work: impl FnOnce(&mut Window, Limit) -> bool,
    ) -> Reading {
        let fresh = || Ok::<_, ()>(Arc::new(Mutex::new(Window { began_at: now, used: 0 })));
        let window = match self.windows.get_or_insert_with(&who, fresh) {
            Ok(window) => window,
            Err(()) => unreachable!("making a window cannot fail"),
        };
        let mut window = window.lock().expect("no holder of a window panics");
        if !now.is_within(window.began_at, self.limit.window) {
            *window = Window { began_at: now, used: 0 };
        }
        let allowed = work(&mut window, self.limit);
        Reading {
            allowed,
            limit: self.limit.count,
            remaining: self.limit.count.saturating_sub(window.used),
            resets_in: now.until(window.began_at.plus(self.limit.window)),
        }
    }
}

/// The limits of the contract.
pub struct Limits {
    /// `/mcp`, per person.
    pub mcp: Counter,
    /// `/mcp` without a token, per address.
    pub mcp_anonymous: Counter,
    /// Registrations, per address.
    pub register: Counter,
    /// Token requests, per grant once it is known, else per client and address.
    pub token: Counter,
    /// Metadata documents fetched, per address that asks.
    pub cimd: Counter,
    /// The same, per host they are fetched from: many addresses together must not make us a
    /// nuisance to it.
    pub cimd_host: Counter,
    /// Which grant a refresh token belongs to that this replica handed out: lets the limit of the
    /// grant be seen before the database is asked.
    heads: Cache<SecretHash, GrantId>,
}

impl Limits {
    /// As configured.
    pub fn new(config: &Config) -> Self {
        Self {
            mcp: Counter::new(config.limit_mcp),
            mcp_anonymous: Counter::new(config.limit_mcp_anonymous),
            register: Counter::new(config.limit_register),
            token: Counter::new(config.limit_token),
            cimd: Counter::new(config.limit_cimd),
            cimd_host: Counter::new(of_a_host(config.limit_cimd)),
            heads: Cache::new(KEYS_MAX),
        }
    }

    /// The reading of a grant that has used its window up.
    pub fn grant_over_limit(&self, grant_id: GrantId, now: Timestamp) -> Option<Reading> {
        let reading = self.token.look(Counted::Grant(grant_id), now);
        (!reading.allowed).then_some(reading)
    }

    /// The same by the refresh token, when this replica handed it out.
    pub fn head_over_limit(&self, presented: SecretHash, now: Timestamp) -> Option<Reading> {
        let grant_id = self.heads.get(&presented)?;
        self.grant_over_limit(grant_id, now)
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

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1000);

    fn counter() -> Counter {
        Counter::new(Limit { count: 2, window: Duration::from_mins(1) })
    }

    fn from(address: &str) -> Counted {
        Counted::address(address.parse().unwrap())
    }

    #[test]
    fn a_window_allows_its_count_and_then_says_when_to_come_back() {
        let counter = counter();
        assert!(counter.count(from("10.0.0.1"), NOW).allowed);
        let second = counter.count(from("10.0.0.1"), NOW.plus(Duration::from_secs(30)));
        assert!(second.allowed && second.remaining == 0);
        let third = counter.count(from("10.0.0.1"), NOW.plus(Duration::from_millis(59_001)));
        assert!(!third.allowed);
        assert_eq!(third.retry_after_seconds(), 1);
        assert!(counter.count(from("10.0.0.2"), NOW).allowed);
        assert!(counter.count(from("10.0.0.1"), NOW.plus(Duration::from_mins(1))).allowed);
    }

    #[test]
    fn looking_costs_nothing() {
        let counter = counter();
        for _ in 0..10 {
            assert!(counter.look(from("10.0.0.1"), NOW).allowed);
        }
        assert_eq!(counter.count(from("10.0.0.1"), NOW).remaining, 1);
    }

    #[test]
    fn an_ipv6_host_cannot_count_as_many() {
        let counter = counter();
        counter.count(from("2001:db8::1"), NOW);
        counter.count(from("2001:db8::2"), NOW);
        assert!(!counter.count(from("2001:db8::3"), NOW).allowed);
        assert!(counter.count(from("2001:db8:0:1::1"), NOW).allowed);
        assert_eq!(from("::ffff:10.0.0.1"), from("10.0.0.1"));
    }
}
