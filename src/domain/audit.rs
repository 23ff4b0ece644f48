//! What the audit log tells of, and who did it: closed words, so that whoever reads a row knows all
//! that it can say.

use crate::id::{AuthorizationRequestId, UserId};

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuditKind {
    /// Somebody signed in.
    SignedIn,
    /// A person let a program in, now or by an earlier yes.
    ConsentAllowed,
    /// A person did not.
    ConsentDenied,
    /// A code became a grant.
    TokenIssued,
    /// A refresh token became the next one.
    TokenRefreshed,
    /// A refresh token came that must not come any more, and its family ended.
    RefreshReused,
    /// A grant ended.
    GrantRevoked,
    /// A program registered, or its document was accepted for the first time.
    ClientRegistered,
    /// The document of a program says something else than before.
    ClientChanged,
    /// A token of the admin API was made.
    AdminTokenCreated,
    /// A token of the admin API was revoked.
    AdminTokenRevoked,
    /// What was given up was queued again.
    DeliveriesRequeued,
    /// Everything that is kept of a person was handed out.
    PersonExported,
    /// A person was erased.
    PersonErased,
    /// Enforcement went on after a halt.
    EnforcementResumed,
    /// The next signing key was published.
    SigningKeyPublished,
}

impl AuditKind {
    /// All of them.
    pub const ALL: [Self; 16] = [
        Self::SignedIn,
        Self::ConsentAllowed,
        Self::ConsentDenied,
        Self::TokenIssued,
        Self::TokenRefreshed,
        Self::RefreshReused,
        Self::GrantRevoked,
        Self::ClientRegistered,
        Self::ClientChanged,
        Self::AdminTokenCreated,
        Self::AdminTokenRevoked,
        Self::DeliveriesRequeued,
        Self::PersonExported,
        Self::PersonErased,
        Self::EnforcementResumed,
        Self::SigningKeyPublished,
    ];

    /// What rows and answers say.
    pub const fn name(self) -> &'static str {
        match self {
            Self::SignedIn => "signed_in",
            Self::ConsentAllowed => "consent_allowed",
            Self::ConsentDenied => "consent_denied",
            Self::TokenIssued => "token_issued",
            Self::TokenRefreshed => "token_refreshed",
            Self::RefreshReused => "refresh_reused",
            Self::GrantRevoked => "grant_revoked",
            Self::ClientRegistered => "client_registered",
            Self::ClientChanged => "client_changed",
            Self::AdminTokenCreated => "admin_token_created",
            Self::AdminTokenRevoked => "admin_token_revoked",
            Self::DeliveriesRequeued => "deliveries_requeued",
            Self::PersonExported => "person_exported",
            Self::PersonErased => "person_erased",
            Self::EnforcementResumed => "enforcement_resumed",
            Self::SigningKeyPublished => "signing_key_published",
        }
    }

    /// Reads [`Self::name`].
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.name() == name)
    }
}

/// Who did it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Actor<'a> {
    /// A person, for themselves or because they administer.
    Person(UserId),
    /// A person of whom nobody knows yet who they are.
    Somebody,
    /// A program that asked for access.
    Client,
    /// A token of the admin API, by its name.
    Token(&'a str),
    /// Whoever may run the program's commands.
    Command,
    /// This server by itself.
    Server,
}

impl Actor<'_> {
    /// What rows say.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Person(_) | Self::Somebody => "person",
            Self::Client => "client",
            Self::Token(_) => "token",
            Self::Command => "command",
            Self::Server => "server",
        }
    }
}

/// What a sign-in attempt is called by people: short enough to be read out. The end of an
/// identifier is its random part.
pub fn reference_of(request: AuthorizationRequestId) -> String {
    let bytes = request.uuid().into_bytes();
    let [.., a, b, c, d] = bytes;
    format!("{:08x}", u32::from_be_bytes([a, b, c, d]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_is_read_back_from_its_word() {
        for kind in AuditKind::ALL {
            assert_eq!(AuditKind::parse(kind.name()), Some(kind));
        }
        assert_eq!(AuditKind::parse("signed in"), None);
    }

    #[test]
    fn a_reference_is_the_random_end_of_a_request() {
        let request = AuthorizationRequestId::parse("0199a1b2-c3d4-7e5f-8a6b-7c8d0e9fa0b1");
        assert_eq!(reference_of(request.expect("it is one")), "0e9fa0b1");
    }
}
