//! Admission to `/mcp` (RFC 9068 §4, RFC 6750 §3.1).
//!
//! 1. Signature, algorithm and type of the token, remembered by its hash; an unknown key asks the
//!    database once, since another replica may have made it.
//! 2. The claims, against our own clock (`domain::access_token`).
//! 3. How its grant stands, and who is behind it, with their organization, remembered for
//!    [`STANDING_KEPT`]: that bounds how long a revoked grant may still pass on another replica.
//!    This replica forgets at once.
//! 4. A work address, where one is required.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use quick_cache::sync::Cache;

use crate::clock::Timestamp;
use crate::domain::access_token::{Admitted, Claims, Profile, admit};
use crate::domain::organization::{Attribution, Told};
use crate::domain::refusal::{AccessRefusal, NoWorkEmail};
use crate::flow::access_jwt::Unverified;
use crate::flow::keyring::Reloaded;
use crate::flow::{Fault, Gatehouse};
use crate::id::GrantId;
use crate::secret::{Secret, SecretHash};
use crate::store::grants::{self, Standing};

/// How long it is believed that a grant stands: less than the 5 seconds the contract allows.
pub const STANDING_KEPT: Duration = Duration::from_secs(3);

const TOKENS_MAX: usize = 20_000;
const GRANTS_MAX: usize = 20_000;

/// The longest token that is looked at, in bytes.
const TOKEN_BYTES_MAX: usize = 8 * 1024;

struct Remembered {
    standing: Standing,
    profile: Arc<Profile>,
    attribution: Arc<Attribution>,
    work_email: Result<(), NoWorkEmail>,
    read_at: Timestamp,
}

/// What is remembered of tokens and grants. All of it can be read again.
pub struct Standings {
    tokens: Cache<SecretHash, Arc<Claims>>,
    grants: Cache<GrantId, Arc<Remembered>>,
    /// How many grants have ended here.
    endings: Mutex<u64>,
}

impl Default for Standings {
    fn default() -> Self {
        Self {
            tokens: Cache::new(TOKENS_MAX),
            grants: Cache::new(GRANTS_MAX),
            endings: Mutex::new(0),
        }
    }
}

impl Standings {
    /// Makes the next request ask the database: the grant has just ended here.
    pub fn forget(&self, grant_id: GrantId) {
        let mut endings = self.endings();
        *endings += 1;
        self.grants.remove(&grant_id);
    }

    /// Remembers how a grant stood when `endings` grants had ended here. When another has ended
    /// since, it is not remembered: it may be this one, read just before.
    fn remember(&self, endings: u64, grant_id: GrantId, remembered: Arc<Remembered>) {
        let endings_now = self.endings();
        if *endings_now == endings {
            self.grants.insert(grant_id, remembered);
        }
    }

    fn endings(&self) -> MutexGuard<'_, u64> {
        // A count is whole whatever became of its last holder.
        self.endings.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Who comes in.
#[derive(Clone, Debug)]
pub struct Entry {
    /// What the token says.
    pub admitted: Admitted,
    /// What is known of the person.
    pub profile: Arc<Profile>,
    /// Whom the call is counted for.
    pub attribution: Arc<Attribution>,
}

impl Gatehouse {
    /// Judges a presented access token.
    pub async fn admit(&self, token: &Secret) -> Result<Result<Entry, AccessRefusal>, Fault> {
        let now = self.clock.now();
        let admitted = match self.read_access_token(token, now).await? {
            Ok(admitted) => admitted,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let Some(remembered) = self.standing(admitted.grant_id, now).await? else {
            return Ok(Err(AccessRefusal::Revoked));
        };
        let standing = &remembered.standing;
        let is_its_own =
            standing.user_id == admitted.user_id && standing.client_id == admitted.client_id;
        let is_alive = standing.revoked_at.is_none()
            && standing.expires_at.is_none_or(|expires_at| now < expires_at);
        if !is_its_own || !is_alive {
            self.note_use_refused(admitted.grant_id, AccessRefusal::Revoked);
            return Ok(Err(AccessRefusal::Revoked));
        }
        if self.config.require_work_email
            && let Err(lack) = remembered.work_email
        {
            let refusal = AccessRefusal::WorkEmailRequired(lack);
            self.note_use_refused(admitted.grant_id, refusal);
            return Ok(Err(refusal));
        }
        self.count_use(admitted.grant_id);
        self.note_used(admitted.grant_id);
        Ok(Ok(Entry {
            admitted,
            profile: Arc::clone(&remembered.profile),
            attribution: Arc::clone(&remembered.attribution),
        }))
    }

    /// Signature and claims of an access token, not yet its grant.
    pub async fn read_access_token(
        &self,
        token: &Secret,
        now: Timestamp,
    ) -> Result<Result<Admitted, AccessRefusal>, Fault> {
        if token.expose().len() > TOKEN_BYTES_MAX {
            return Ok(Err(AccessRefusal::BadSignature));
        }
        let hash = token.hash();
        let claims = match self.standings.tokens.get(&hash) {
            Some(claims) => claims,
            None => match self.verify(token, now).await? {
                Ok(claims) => {
                    let claims = Arc::new(claims);
                    self.standings.tokens.insert(hash, Arc::clone(&claims));
                    claims
                }
                Err(refusal) => return Ok(Err(refusal)),
            },
        };
        Ok(admit(&claims, &self.config.public_url, &self.resource, now))
    }

    /// Reads the signing keys again. A key that was withdrawn must not live on in what it once
    /// verified, so the tokens that are remembered go with the keys.
    pub async fn reload_keys(&self, now: Timestamp) -> Result<(), Fault> {
        let reloaded = self.keyring.reload(&self.store, &self.config.secret, now).await?;
        if reloaded == Reloaded::Anew {
            self.standings.tokens.clear();
        }
        Ok(())
    }

    async fn verify(
        &self,
        token: &Secret,
        now: Timestamp,
    ) -> Result<Result<Claims, AccessRefusal>, Fault> {
        let verified = match self.keyring.verify(token.expose()) {
            Err(Unverified::UnknownKey) => {
                self.reload_keys(now).await?;
                self.keyring.verify(token.expose())
            }
            verified => verified,
        };
        Ok(verified.map_err(|unverified| match unverified {
            Unverified::UnknownKey => AccessRefusal::BadSignature,
            Unverified::Refused(refusal) => refusal,
        }))
    }

    async fn standing(
        &self,
        grant_id: GrantId,
        now: Timestamp,
    ) -> Result<Option<Arc<Remembered>>, Fault> {
        if let Some(remembered) = self.standings.grants.get(&grant_id)
            && now.is_within(remembered.read_at, STANDING_KEPT)
        {
            return Ok(Some(remembered));
        }
        let endings = *self.standings.endings();
        let Some(standing) = grants::standing(self.store.read(), grant_id).await? else {
            return Ok(None);
        };
        let profile = Arc::new(self.profile(&standing.profile_sealed)?);
        let work_email = self.organizations.check_work_email(Told {
            upstream_issuer: &standing.upstream_issuer,
            upstream_subject: &standing.upstream_subject,
            profile: &profile,
        });
        let attribution = Arc::new(standing.attribution.clone());
        let remembered =
            Arc::new(Remembered { standing, profile, attribution, work_email, read_at: now });
        self.standings.remember(endings, grant_id, Arc::clone(&remembered));
        Ok(Some(remembered))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::UserId;

    fn alive() -> Arc<Remembered> {
        let (user, read_at) = (UserId::from_uuid(uuid::Uuid::nil()), Timestamp::from_seconds(1000));
        let attribution = Attribution {
            user,
            organization: None,
            lack: None,
            email_domain: None,
            first_login_at: read_at,
            last_login_at: read_at,
        };
        let standing = Standing {
            user_id: user,
            client_id: "editor".to_owned(),
            expires_at: None,
            revoked_at: None,
            upstream_issuer: String::new(),
            upstream_subject: String::new(),
            profile_sealed: Vec::new(),
            attribution: attribution.clone(),
        };
        let (profile, attribution) = (Arc::default(), Arc::new(attribution));
        Arc::new(Remembered { standing, profile, attribution, work_email: Ok(()), read_at })
    }

    #[test]
    fn what_was_read_before_an_ending_is_not_remembered_after_it() {
        let (standings, ended) = (Standings::default(), GrantId::from_uuid(uuid::Uuid::nil()));
        let before = *standings.endings();
        standings.forget(ended);
        standings.remember(before, ended, alive());
        assert!(standings.grants.get(&ended).is_none());
        let after = *standings.endings();
        standings.remember(after, ended, alive());
        assert!(standings.grants.get(&ended).is_some());
    }
}
