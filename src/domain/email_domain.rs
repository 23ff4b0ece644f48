//! The domain of an e-mail address: all of it that logs and reports may carry.

/// The part after the last `@`, lower-cased; `None` when that is not a domain name.
pub fn of_address(email: &str) -> Option<String> {
    let (local, domain) = email.trim().rsplit_once('@')?;
    let domain = domain.trim_end_matches('.').to_ascii_lowercase();
    let labels_fit = domain.split('.').all(|label| {
        !label.is_empty()
            && label.len() <= 63
            && label.chars().all(|c| c.is_alphanumeric() || c == '-')
    });
    (!local.is_empty() && domain.contains('.') && domain.len() <= 253 && labels_fit)
        .then_some(domain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_domain_is_lower_case_and_well_formed_or_absent() {
        for (email, domain) in [
            ("Alice@Example.COM", Some("example.com")),
            ("\"a@b\"@example.com", Some("example.com")),
            ("alice@example.com.", Some("example.com")),
            ("alice@münchen.de", Some("münchen.de")),
            ("alice", None),
            ("@example.com", None),
            ("alice@localhost", None),
            ("alice@exa mple.com", None),
            ("alice@example..com", None),
            ("alice@<script>.com", None),
        ] {
            assert_eq!(of_address(email).as_deref(), domain, "{email}");
        }
    }
}
