//! How many connections there is room for.

use std::net::{IpAddr, Ipv6Addr};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// More are not taken, whatever the machine allows: each costs some 30 KB while it is idle.
const CONNECTIONS_MAX: usize = 8192;

/// As many of one network, unless it is trusted to come for others.
const OF_ONE_NETWORK_MAX: usize = 1024;

/// Descriptors that are not for connections: the database, logs, other servers.
const OTHER_DESCRIPTORS: u64 = 256;

/// The most connections there may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Room {
    /// In all.
    pub in_all: usize,
    /// Of one network.
    pub of_one_network: usize,
}

impl Room {
    /// By the descriptors that this process may have, after it has asked for all it may ask for.
    pub fn of_this_process() -> Self {
        let limit = getrlimit(Resource::Nofile);
        let wanted = CONNECTIONS_MAX as u64 + OTHER_DESCRIPTORS;
        // Nothing said means without end.
        let allowed = limit.maximum.unwrap_or(wanted).min(wanted);
        let mut open_files = limit.current.unwrap_or(wanted);
        if open_files < allowed {
            let raised = Rlimit { current: Some(allowed), ..limit };
            match setrlimit(Resource::Nofile, raised) {
                Ok(()) => open_files = allowed,
                Err(error) => tracing::debug!(%error, "the number of descriptors stays"),
            }
        }
        Self::within(open_files)
    }

    /// Whether one more is taken, where there are so many in all and of its network; some come for
    /// others.
    pub const fn takes(self, in_all: usize, of_network: usize, is_for_others: bool) -> bool {
        in_all < self.in_all && (is_for_others || of_network < self.of_one_network)
    }

    fn within(open_files: u64) -> Self {
        // A process with very few still serves somebody.
        let left = open_files.saturating_sub(OTHER_DESCRIPTORS).max(open_files / 2);
        let in_all = usize::try_from(left).unwrap_or(usize::MAX).clamp(1, CONNECTIONS_MAX);
        Self { in_all, of_one_network: OF_ONE_NETWORK_MAX.min(in_all.div_ceil(2)) }
    }
}

/// The network that connections of an address are counted for: one household or machine has 2^64
/// addresses of IPv6.
pub fn network_of(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX)))
        }
        address @ IpAddr::V4(_) => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_process_may_open_is_not_all_for_connections() {
        for (open_files, in_all, of_one_network) in [
            (0, 1, 1),
            (64, 32, 16),
            (256, 128, 64),
            (1024, 768, 384),
            (4096, 3840, 1024),
            (1 << 20, 8192, 1024),
            (u64::MAX, 8192, 1024),
        ] {
            let room = Room::within(open_files);
            assert_eq!(room, Room { in_all, of_one_network }, "{open_files}");
        }
    }

    #[test]
    fn one_network_does_not_take_it_all() {
        let room = Room { in_all: 10, of_one_network: 4 };
        assert!(room.takes(9, 3, false) && room.takes(9, 9, true));
        assert!(!room.takes(5, 4, false));
        assert!(!room.takes(10, 0, false) && !room.takes(10, 0, true));
    }

    #[test]
    fn a_network_of_ipv6_is_one() {
        let network = |text: &str| network_of(text.parse().unwrap());
        assert_eq!(network("2001:db8:1:2::1"), network("2001:db8:1:2:ffff::9"));
        assert_ne!(network("2001:db8:1:2::1"), network("2001:db8:1:3::1"));
        assert_ne!(network("192.0.2.1"), network("192.0.2.2"));
        assert_eq!(network("::ffff:192.0.2.1"), network("192.0.2.1"));
    }
}
