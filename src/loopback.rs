//! Whether an address is this machine's own: what settings, sign-in and the door must say alike.
//!
//! Never here: what follows from it.

use url::{Host, Url};

/// Whether a URL names this machine.
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_true_loopback_names_are_this_machine() {
        for (address, is_local) in [
            ("http://127.0.0.1:8080/", true),
            ("http://127.8.9.1/", true),
            ("http://[::1]/", true),
            ("http://localhost/", true),
            ("http://docs.localhost/", true),
            ("http://localhost.example.com/", false),
            ("http://0.0.0.0/", false),
            ("http://10.0.0.1/", false),
            ("http://[::ffff:127.0.0.1]/", false),
        ] {
            assert_eq!(is_loopback(&Url::parse(address).unwrap()), is_local, "{address}");
        }
    }
}
