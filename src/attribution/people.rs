//! People and their organizations: what a sign-in writes of them, and what everybody else reads.
//!
//! [`attribution_of`] is for whoever counts, exports or shows: a person's identifier in, the person
//! with their organization out, in one query. What comes through `/mcp` has it already, remembered
//! with its grant (`flow::admit::Entry`).
//!
//! What is written of a person is sealed and hashed here alone ([`People::prepare`]), so that seal,
//! hash and organization always are of one profile and one secret.

use crate::clock::Timestamp;
use crate::domain::access_token::Profile;
use crate::domain::email_domain;
use crate::domain::organization::rules::Rules;
use crate::domain::organization::{Attribution, Lack, Organization, Told};
use crate::id::{MembershipId, OrganizationId, UserId};
use crate::secret::Entropy;
use crate::server_secret::{Purpose, ServerSecret};
use crate::store::memberships::{self, FreshIds};
use crate::store::people::{self, Selection, StoredPerson};
use crate::store::users::{self, SignIn};
use crate::store::{Db, StoreError, Txn};

/// The person behind an identifier, with the organization they belong to now; none when there is
/// no such person, or no more.
pub async fn attribution_of(db: &impl Db, user: UserId) -> Result<Option<Attribution>, StoreError> {
    Ok(people::find(db, user).await?.map(|person| person.attribution))
}

/// What is needed to write of people, and to read what is sealed.
#[derive(Clone, Copy)]
pub struct People<'a> {
    /// Seals and hashes.
    pub secret: &'a ServerSecret,
    /// Says who belongs where.
    pub rules: &'a Rules,
    /// Makes identifiers and seals.
    pub entropy: &'a dyn Entropy,
}

/// A person who signed in, ready to be written.
pub struct PreparedPerson<'a> {
    /// What the row says.
    pub sign_in: SignIn<'a>,
    /// What a new person is called.
    pub fresh_id: UserId,
    resolved: Result<Organization, Lack>,
    fresh: FreshIds,
}

impl PreparedPerson<'_> {
    /// Writes the person and their membership, in the order of the locks.
    pub async fn write(&self, txn: &Txn, now: Timestamp) -> Result<UserId, StoreError> {
        let user_id = users::upsert(txn, self.fresh_id, &self.sign_in, now).await?;
        memberships::settle(txn, user_id, &self.resolved, self.fresh, now).await?;
        Ok(user_id)
    }
}

impl People<'_> {
    /// What is to be written of whoever signed in.
    pub fn prepare<'p>(
        &self,
        told: Told<'p>,
        now: Timestamp,
    ) -> Result<PreparedPerson<'p>, StoreError> {
        let text = serde_json::to_vec(told.profile).map_err(|_| StoreError::Corrupt("profile"))?;
        let email = told.profile.email.as_deref();
        Ok(PreparedPerson {
            sign_in: SignIn {
                upstream_issuer: told.upstream_issuer,
                upstream_subject: told.upstream_subject,
                profile_sealed: self.secret.seal(self.entropy, Purpose::Profile, &text),
                email_domain: email.and_then(email_domain::of_address),
                email_hash: email.and_then(|email| email_hash(self.secret, email)),
            },
            fresh_id: UserId::generate(self.entropy, now),
            resolved: self.rules.resolve(told),
            fresh: self.fresh_ids(now),
        })
    }

    /// Opens what is sealed of a person; none when neither secret does.
    pub fn profile(&self, sealed: &[u8]) -> Option<Profile> {
        let opened = self.secret.unseal(Purpose::Profile, sealed)?;
        serde_json::from_slice(&opened).ok()
    }

    /// Where a person belongs whose row is known; none when it cannot be opened.
    pub fn resolve(&self, person: &StoredPerson) -> Option<Result<Organization, Lack>> {
        let profile = self.profile(&person.profile_sealed)?;
        Some(self.rules.resolve(Told {
            upstream_issuer: &person.upstream_issuer,
            upstream_subject: &person.upstream_subject,
            profile: &profile,
        }))
    }

    /// What new rows are called.
    pub fn fresh_ids(&self, now: Timestamp) -> FreshIds {
        FreshIds {
            organization: OrganizationId::generate(self.entropy, now),
            membership: MembershipId::generate(self.entropy, now),
        }
    }
}

/// What a person is found by who gives their address; none for what is no address.
pub fn email_hash(secret: &ServerSecret, email: &str) -> Option<[u8; 32]> {
    let normalized = email_domain::normalized_address(email)?;
    Some(secret.keyed_hash(Purpose::EmailHash, &[normalized.as_bytes()]))
}

/// What an operator looks for.
#[derive(Clone, Debug, Default)]
pub struct Search<'a> {
    /// Whose address this is, in any spelling.
    pub email: Option<&'a str>,
    /// Who belongs to what is called so now: an identifier, a key, a domain or a name.
    pub organization: Option<&'a str>,
    /// Who first signed in after this person.
    pub after: Option<UserId>,
}

/// People in the order they first signed in, at most `rows`. Those who were last written under
/// `secret_previous` are found as well.
pub async fn search(
    db: &impl Db,
    secret: &ServerSecret,
    wanted: &Search<'_>,
    rows: u64,
) -> Result<Vec<StoredPerson>, StoreError> {
    let email_hashes = wanted.email.map(|email| {
        // What is no address is nobody's.
        let normalized = email_domain::normalized_address(email);
        normalized.map_or_else(Vec::new, |address| {
            secret.keyed_hashes(Purpose::EmailHash, &[address.as_bytes()])
        })
    });
    let organizations = match wanted.organization {
        Some(called) => {
            let domain = email_domain::canonical(called);
            let called = domain.as_deref().unwrap_or(called);
            Some(memberships::find_organizations(db, called).await?)
        }
        None => None,
    };
    let selection = Selection { email_hashes, organizations, after: wanted.after };
    people::list(db, &selection, rows).await
}
