//! From grace to enforced, step by step: who of those without a token is asked to sign in, and when
//! that ends by itself.
//!
//! A request is asked when any part of the policy says so. The share is decided by who calls and by
//! nothing else, so that a caller always gets the same answer; and a larger share has all in it who
//! were in the smaller one, so that raising it only adds callers.

use std::collections::BTreeSet;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use crate::clock::Timestamp;
use crate::domain::product::{self, Signs, product_of};

/// All of a share: hundredths of a percent.
const ALL_HUNDREDTHS: u16 = 10_000;

/// How long somebody who was asked has to come back with a token, until that is a failure.
pub const RETURN_WITHIN: Duration = Duration::from_mins(30);

/// How long failures count against the policy.
pub const JUDGED_FOR: Duration = Duration::from_hours(2);

/// So many callers must have been asked before anything is concluded from them.
pub const CALLERS_MIN: u64 = 20;

/// The keyed hash of a caller's network.
pub type NetworkHash = [u8; 32];

/// Stands for callers who could not be kept apart.
pub const NOBODY: NetworkHash = [0; 32];

/// Where in a hundred percent a caller stands, for good.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Bucket(u16);

impl Bucket {
    /// That of a caller.
    pub fn of(network_hash: &NetworkHash) -> Self {
        let first = network_hash.first_chunk().copied().unwrap_or_default();
        let number = u64::from_be_bytes(first) % u64::from(ALL_HUNDREDTHS);
        // Below 10,000.
        Self(u16::try_from(number).unwrap_or(0))
    }
}

/// A part of all callers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Share(u16);

impl Share {
    /// Every caller.
    pub const ALL: Self = Self(ALL_HUNDREDTHS);

    /// From hundredths of a percent; more than all is all.
    pub const fn from_hundredths(hundredths: u16) -> Self {
        Self(if hundredths < ALL_HUNDREDTHS { hundredths } else { ALL_HUNDREDTHS })
    }

    const fn holds(self, bucket: Bucket) -> bool {
        bucket.0 < self.0
    }
}

/// As `10%` or `0.5%`.
impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (percent, hundredths) = (self.0 / 100, self.0 % 100);
        match hundredths {
            0 => write!(f, "{percent}%"),
            tenths if tenths % 10 == 0 => write!(f, "{percent}.{}%", tenths / 10),
            hundredths => write!(f, "{percent}.{hundredths:02}%"),
        }
    }
}

/// Who is asked to sign in: whoever is in the share, and whoever comes with one of these clients,
/// and whoever calls one of these tools.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    /// Part of all callers.
    pub share: Share,
    /// Products, under the names of `domain::product`.
    pub clients: BTreeSet<String>,
    /// Tools, under the names this deployment gives them.
    pub tools: BTreeSet<String>,
}

impl Policy {
    /// Asks everybody, as `auth = "enforce"` does.
    pub fn everybody() -> Self {
        Self { share: Share::ALL, ..Self::default() }
    }

    /// Whether it asks nobody.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// As `10% of callers, clients: Cursor, tools: read_page`.
impl fmt::Display for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of callers", self.share)?;
        for (what, names) in [("clients", &self.clients), ("tools", &self.tools)] {
            if !names.is_empty() {
                let names: Vec<_> = names.iter().map(String::as_str).collect();
                write!(f, ", {what}: {}", names.join(", "))?;
            }
        }
        Ok(())
    }
}

/// The product that an operator's word names, if requests without a token can be of it: a product
/// that people know, or `unknown`.
pub fn client_named(text: &str) -> Option<&'static str> {
    let is_unknown = text.trim().eq_ignore_ascii_case(product::UNKNOWN);
    if is_unknown { Some(product::UNKNOWN) } else { product::known(text) }
}

/// The product a request without a token is counted for: what it says itself, and else its
/// `User-Agent`.
pub fn product_without_token(client_info: Option<&str>, user_agent: Option<&str>) -> String {
    let told = client_info.and_then(product::known);
    let agent = user_agent.and_then(product::known);
    product_of(Signs { told, agent, ..Signs::default() })
}

/// What a request without a token is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asked<'a> {
    /// With which product.
    pub product: &'a str,
    /// Which tool, if it calls one that is offered.
    pub tool: Option<&'a str>,
}

/// Whether the policy is followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It is.
    InForce,
    /// Nobody is asked until an operator says so.
    Halted,
}

/// What becomes of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// It passes as `grace` lets it.
    Pass,
    /// It is answered as `enforce` would.
    Challenge(Reason),
}

/// Which part of the policy asks; the first that does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The caller belongs to the share.
    Share,
    /// The client is listed.
    Client,
    /// The tool is listed.
    Tool,
}

/// Decides about one request without a token.
pub fn decide(policy: &Policy, standing: Standing, bucket: Bucket, asked: Asked<'_>) -> Decision {
    if standing == Standing::Halted {
        return Decision::Pass;
    }
    if policy.share.holds(bucket) {
        Decision::Challenge(Reason::Share)
    } else if policy.clients.contains(asked.product) {
        Decision::Challenge(Reason::Client)
    } else if asked.tool.is_some_and(|tool| policy.tools.contains(tool)) {
        Decision::Challenge(Reason::Tool)
    } else {
        Decision::Pass
    }
}

/// What became of callers who were asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Different callers who were asked.
    pub challenged: u64,
    /// How many of them came back signed in, in time.
    pub returned: u64,
}

/// The callers that are judged: asked from the first moment, and before the last. The last of them
/// had their time, and none was asked before an operator said that it goes on.
pub fn judged_span(now: Timestamp, resumed_at: Option<Timestamp>) -> (Timestamp, Timestamp) {
    let from = now.minus(JUDGED_FOR);
    (resumed_at.map_or(from, |resumed_at| from.max(resumed_at)), now.minus(RETURN_WITHIN))
}

/// Whether the policy goes on; it does not when less than `halt_below` percent of those who were
/// asked came back.
pub const fn judge(tally: Tally, halt_below: u8) -> Standing {
    let Tally { challenged, returned } = tally;
    let is_enough = challenged >= CALLERS_MIN;
    if is_enough && returned.saturating_mul(100) < challenged.saturating_mul(halt_below as u64) {
        Standing::Halted
    } else {
        Standing::InForce
    }
}

/// A time in which nobody is asked, or was not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Halt {
    /// When it began.
    pub halted_at: Timestamp,
    /// Whom it was concluded from.
    pub tally: Tally,
    /// When an operator ended it.
    pub resumed_at: Option<Timestamp>,
}

/// How enforcement stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// Of the settings.
    pub policy: Policy,
    /// The newest halt, ended or not.
    pub last_halt: Option<Halt>,
    /// Callers who were asked in the last hour; some have time left to return.
    pub last_hour: Tally,
    /// The same by product.
    pub products: Vec<(String, Tally)>,
}

impl Status {
    /// Whether the policy is followed.
    pub fn standing(&self) -> Standing {
        match self.last_halt {
            Some(Halt { resumed_at: None, .. }) => Standing::Halted,
            Some(Halt { resumed_at: Some(_), .. }) | None => Standing::InForce,
        }
    }
}

/// What people may see of an address: an IPv4 /24 or an IPv6 /48.
pub fn shown_network(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(v4) => format!("{}/24", Ipv4Addr::from_bits(v4.to_bits() & !0xff)),
        IpAddr::V6(v6) => {
            let network = v6.to_bits() & (u128::MAX << 80);
            format!("{}/48", Ipv6Addr::from_bits(network))
        }
    }
}

#[cfg(test)]
mod tests;
