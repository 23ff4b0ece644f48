//! From grace to enforced: those without a token whom the policy asks get the 401 of `enforce`, the
//! others pass; and when those who are asked do not come back signed in, it ends by itself.
//!
//! 1. The door tells of each request without a token. The rule decides (`domain::enforcement`), and
//!    what was decided is added up in memory (`pending`).
//! 2. It also tells who came with a good token: they may be somebody who was asked.
//! 3. A task writes both down, looks whether enforcement is halted, and judges it (`keeping`).
//! 4. Reports replay what was written against a policy, by the same rule (`reading`).
//!
//! A replica asks only while it knows that it may: who has not learned for [`KNOWN_FOR`] that there
//! is no halt lets everybody pass. So no replica asks anybody longer than that after a halt was
//! written, whatever has become of the database; and without the database nobody could sign in.
//!
//! Never here: whole addresses, in rows or log lines.

use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use uuid::Uuid;

use crate::clock::Timestamp;
use crate::config::AuthMode;
use crate::domain::day::Day;
use crate::domain::enforcement::{
    Asked, Bucket, Decision, NetworkHash, Policy, Standing, decide, product_without_token,
    shown_network,
};
use crate::flow::Gatehouse;
use crate::flow::enforcement::keeping::Unwritten;
use crate::flow::enforcement::pending::Pending;
use crate::flow::limits::counted_address;
use crate::id::UsageWriterId;
use crate::secret::Entropy;
use crate::server_secret::{Purpose, ServerSecret};
use crate::store::anonymous::Key;

pub mod keeping;
pub mod pending;
pub mod reading;

/// How long it is believed that enforcement is not halted. Within 10 seconds of a halt all replicas
/// must heed it.
pub const KNOWN_FOR: Duration = Duration::from_secs(10);

/// What is known of enforcement, and what is not written down yet.
pub struct Enforcement {
    /// Whom the settings ask; nobody unless `auth` is `grace`.
    pub policy: Policy,
    /// When it was seen last that there is no halt; `None` when there is one, or nobody has looked.
    in_force_at: Mutex<Option<Timestamp>>,
    pending: Mutex<Pending>,
    /// Whether today has as many rows as it may.
    is_full: AtomicBool,
    /// By what name the database knows this process.
    writer: Uuid,
    /// Held by whoever writes.
    unwritten: tokio::sync::Mutex<Unwritten>,
}

/// A request without a token, as the door sees it.
#[derive(Clone, Copy, Debug)]
pub struct Anonymous<'a> {
    /// Where it came from.
    pub address: IpAddr,
    /// What it says of its client.
    pub client_info: Option<&'a str>,
    /// The header `User-Agent`.
    pub user_agent: Option<&'a str>,
    /// The tool it calls, if one of that name is offered.
    pub tool: Option<&'a str>,
    /// The kind of message, of few; empty when it was not read.
    pub method: &'static str,
}

/// What the door does with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Lets it pass.
    Passes,
    /// Answers as `enforce` does.
    MustSignIn,
}

impl Enforcement {
    /// With nothing known yet: until somebody looks, everybody passes.
    pub fn new(policy: Policy, entropy: &dyn Entropy, now: Timestamp) -> Self {
        Self {
            policy,
            in_force_at: Mutex::default(),
            pending: Mutex::default(),
            is_full: AtomicBool::new(false),
            writer: UsageWriterId::generate(entropy, now).uuid(),
            unwritten: tokio::sync::Mutex::default(),
        }
    }

    /// Whether the policy is followed at this moment.
    pub fn standing(&self, now: Timestamp) -> Standing {
        let in_force_at = *self.in_force_at();
        if in_force_at.is_some_and(|at| now.is_within(at, KNOWN_FOR)) {
            Standing::InForce
        } else {
            Standing::Halted
        }
    }

    fn in_force_at(&self) -> MutexGuard<'_, Option<Timestamp>> {
        self.in_force_at.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn pending(&self) -> MutexGuard<'_, Pending> {
        // Counts are whole whatever became of the last holder.
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Who a caller is to the database, and in which share. After a change of `secret` everybody is
/// somebody else.
pub fn network_hash(secret: &ServerSecret, address: IpAddr) -> NetworkHash {
    let octets = match counted_address(address) {
        IpAddr::V4(v4) => v4.octets().to_vec(),
        IpAddr::V6(v6) => v6.octets().to_vec(),
    };
    secret.keyed_hash(Purpose::CallerNetwork, &[&octets])
}

impl Gatehouse {
    /// Decides about a request without a token while `auth` is `grace`, and takes note of it.
    /// Nothing is waited for.
    pub fn enforce(&self, request: Anonymous<'_>) -> Verdict {
        let Anonymous { address, client_info, user_agent, tool, method } = request;
        let now = self.clock.now();
        let enforcement = &self.enforcement;
        let network_hash = network_hash(&self.config.secret, address);
        let product = product_without_token(client_info, user_agent);
        let standing = enforcement.standing(now);
        let asked = Asked { product: &product, tool };
        let decision = decide(&enforcement.policy, standing, Bucket::of(&network_hash), asked);
        let key = Key {
            day: Day::of(now),
            network_hash,
            network: shown_network(address),
            product,
            tool: tool.unwrap_or_default().to_owned(),
            method: method.to_owned(),
        };
        let is_full = enforcement.is_full.load(Ordering::Relaxed);
        let key = if is_full { pending::of_nobody(key) } else { key };
        enforcement.pending().note(key, decision, now);
        match decision {
            Decision::Challenge(reason) => {
                tracing::info!(flow = "admit", outcome = "challenged", ?reason);
                Verdict::MustSignIn
            }
            Decision::Pass => {
                tracing::info!(flow = "admit", outcome = "anonymous");
                Verdict::Passes
            }
        }
    }

    /// Takes note that somebody came with a good token: whoever was asked before, from there, has
    /// come back.
    pub fn note_signed_in(&self, address: IpAddr) {
        if self.config.auth == AuthMode::Grace && !self.enforcement.policy.is_empty() {
            let network_hash = network_hash(&self.config.secret, address);
            self.enforcement.pending().note_signed_in(network_hash, self.clock.now());
        }
    }
}
