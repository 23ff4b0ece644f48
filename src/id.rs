//! Identifiers of rows: UUIDs of version 7, one type per table, so that none stands in for another.

use std::fmt;

use uuid::Uuid;

use crate::clock::Timestamp;
use crate::secret::Entropy;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub struct $name(Uuid);

        impl $name {
            /// A new identifier, ordered by the time it was made (RFC 9562 §5.7).
            pub fn generate(entropy: &dyn Entropy, now: Timestamp) -> Self {
                Self(uuid_v7(entropy, now))
            }

            /// From the value a column holds.
            pub const fn from_uuid(uuid: Uuid) -> Self {
                Self(uuid)
            }

            /// From text that came from outside.
            pub fn parse(text: &str) -> Option<Self> {
                Uuid::try_parse(text).ok().map(Self)
            }

            /// The value a column holds.
            pub const fn uuid(self) -> Uuid {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    )+};
}

ids! {
    /// A registered client's row; its `client_id` is another value.
    ClientRowId,
    /// A person: the `sub` of our tokens.
    UserId,
    /// An accepted authorization request.
    AuthorizationRequestId,
    /// Our leg to the identity provider.
    UpstreamLoginId,
    /// An authorization code.
    AuthorizationCodeId,
    /// A grant, head of a family of refresh tokens.
    GrantId,
    /// One generation of a family.
    RefreshTokenId,
    /// A remembered yes.
    ConsentId,
    /// A browser that a person is signed in with.
    BrowserSessionId,
    /// A message of a person about the documentation.
    FeedbackId,
    /// Something to be handed on to a receiver outside.
    OutboxId,
    /// A browser in which somebody administers.
    AdminSessionId,
    /// A token by which a program administers.
    AdminTokenId,
    /// An organization that people belong to.
    OrganizationId,
    /// A time that a person belonged to one, or to none.
    MembershipId,
    /// A process that writes usage.
    UsageWriterId,
    /// A time in which nobody is asked to sign in, although the settings say so.
    EnforcementHaltId,
    /// A call of which a text is kept.
    SearchId,
    /// A call that sinks are told of.
    ToldCallId,
    /// A process that holds leases.
    LeaseHolderId,
    /// That somebody was told something of a person.
    DisclosureId,
    /// A row of the audit log.
    AuditId,
}

fn uuid_v7(entropy: &dyn Entropy, now: Timestamp) -> Uuid {
    let mut random = [0; 10];
    entropy.fill(&mut random);
    let millis = u64::try_from(now.millis()).unwrap_or(0);
    uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid()
}
