//! Scopes: the known ones, parsed leniently, granted narrowly.
//!
//! Clients send other servers' scopes, doubled blanks and whole catalogues. What is unknown is
//! dropped (RFC 6749 §3.3 lets the server narrow); what remains is a set in a fixed order.

use std::fmt;

/// One scope this server knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Search and read the documentation.
    DocsRead,
    /// Send feedback.
    DocsFeedback,
    /// Accepted because clients ask for it; no ID token is issued.
    OpenId,
    /// The access token carries e-mail and whether it is verified.
    Email,
    /// The access token carries name and organization.
    Profile,
    /// Accepted, never required; refresh tokens do not depend on it alone.
    OfflineAccess,
}

impl Scope {
    /// All scopes, in the order they are written.
    pub const ALL: [Self; 6] = [
        Self::DocsRead,
        Self::DocsFeedback,
        Self::OpenId,
        Self::Email,
        Self::Profile,
        Self::OfflineAccess,
    ];

    /// The text on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::DocsRead => "docs:read",
            Self::DocsFeedback => "docs:feedback",
            Self::OpenId => "openid",
            Self::Email => "email",
            Self::Profile => "profile",
            Self::OfflineAccess => "offline_access",
        }
    }

    const fn bit(self) -> u8 {
        1 << self as u8
    }

    fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.name() == name)
    }
}

/// A set of known scopes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct ScopeSet(u8);

impl ScopeSet {
    /// Nothing.
    pub const EMPTY: Self = Self(0);

    /// The known scopes among the words of `text`.
    pub fn known_in(text: &str) -> Self {
        text.split_ascii_whitespace().filter_map(Scope::from_name).fold(Self::default(), Self::with)
    }

    /// What an authorization request asks for. Without a documentation scope it gets the default
    /// ones besides, so that a client which asks for identity alone can still use the server.
    pub fn requested(text: Option<&str>, default: Self) -> Self {
        let known = Self::known_in(text.unwrap_or_default());
        if known.contains(Scope::DocsRead) || known.contains(Scope::DocsFeedback) {
            known
        } else {
            known.union(default)
        }
    }

    /// This set and `scope`.
    #[must_use]
    pub const fn with(self, scope: Scope) -> Self {
        Self(self.0 | scope.bit())
    }

    /// This set without `scope`.
    #[must_use]
    pub const fn without(self, scope: Scope) -> Self {
        Self(self.0 & !scope.bit())
    }

    /// Both sets.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether `scope` is in it.
    pub const fn contains(self, scope: Scope) -> bool {
        self.0 & scope.bit() != 0
    }

    /// Whether all of `other` is in it.
    pub const fn includes(self, other: Self) -> bool {
        other.0 & !self.0 == 0
    }

    /// Whether nothing is in it.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Its scopes, in the fixed order.
    pub fn iter(self) -> impl Iterator<Item = Scope> {
        Scope::ALL.into_iter().filter(move |scope| self.contains(*scope))
    }
}

impl fmt::Display for ScopeSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, scope) in self.iter().enumerate() {
            let separator = if position == 0 { "" } else { " " };
            write!(f, "{separator}{}", scope.name())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_read_leniently() {
        for (text, granted) in [
            (None, "docs:read docs:feedback"),
            (Some(""), "docs:read docs:feedback"),
            (Some("   "), "docs:read docs:feedback"),
            (Some("claudeai"), "docs:read docs:feedback"),
            (Some("docs:read zzz"), "docs:read"),
            (Some(" docs:read  docs:read"), "docs:read"),
            (Some("openid email"), "docs:read docs:feedback openid email"),
            (Some("offline_access docs:feedback"), "docs:feedback offline_access"),
        ] {
            let default = ScopeSet::known_in("docs:read docs:feedback");
            assert_eq!(ScopeSet::requested(text, default).to_string(), granted, "{text:?}");
        }
        let narrow = ScopeSet::known_in("docs:read");
        assert_eq!(ScopeSet::requested(Some("email"), narrow).to_string(), "docs:read email");
        let asked = Some("docs:feedback");
        assert_eq!(ScopeSet::requested(asked, narrow).to_string(), "docs:feedback");
    }

    #[test]
    fn a_set_survives_its_text() {
        for bits in 0..64 {
            let set = ScopeSet(bits);
            assert_eq!(ScopeSet::known_in(&set.to_string()), set);
        }
    }

    #[test]
    fn inclusion_is_of_every_member() {
        let both = ScopeSet::known_in("docs:read email");
        assert!(both.includes(ScopeSet::known_in("email")));
        assert!(!both.includes(ScopeSet::known_in("email profile")));
        assert!(both.includes(ScopeSet::default()));
    }
}
