//! The session of a browser: begun at a sign-in, renewed while it is used, ended.
//!
//! 1. The cookie is sealed; a changed one counts as none. What is in it is looked up by its hash.
//! 2. Decide (`domain::browser_session`): live, over, to be renewed, or stolen.
//! 3. At most one write. Of requests that bring one value at once, one renews it, and all get the
//!    same next value, since it is derived and not drawn.

use crate::clock::Timestamp;
use crate::domain::access_token::Profile;
use crate::domain::browser_session::{Decision, decide};
use crate::domain::organization::{Attribution, Told};
use crate::flow::browser::Cookies;
use crate::flow::{Fault, Gatehouse};
use crate::id::{BrowserSessionId, UserId};
use crate::secret::{Kind, Secret};
use crate::store::browser_sessions::{self, NewSession, StoredSession};
use crate::store::{Consumed, people, transact};

/// Who is signed in with this browser.
pub struct SignedIn {
    /// The session.
    pub id: BrowserSessionId,
    /// The person.
    pub user_id: UserId,
    /// What is known of them.
    pub profile: Profile,
    /// When they signed in.
    pub began_at: Timestamp,
    /// The organization they belong to, with them.
    pub attribution: Attribution,
    /// Whether they would be let in now, whatever the rule was when they signed in.
    pub is_let_in: bool,
    /// When the session ends, unless it is used.
    pub expires_at: Timestamp,
    /// The cookie with the session's next value, when there is one.
    pub cookie: Option<String>,
}

/// A session that is ready to be written.
pub struct PreparedSession {
    /// The row.
    pub row: NewSession,
    /// What the browser keeps.
    pub cookie: String,
}

impl Gatehouse {
    /// Who is signed in with this browser, if anybody is.
    pub async fn signed_in(
        &self,
        cookies: &impl Cookies,
        now: Timestamp,
    ) -> Result<Option<SignedIn>, Fault> {
        let Some(value) = self.session_value(cookies) else { return Ok(None) };
        let Some(session) = self.find_session(&value).await? else { return Ok(None) };
        match self.use_session(&value, session, now).await? {
            Used::Live(used) => self.known(used).await,
            Used::Over => Ok(None),
            // Another request renewed it a moment ago: what it wrote is there to be read.
            Used::Changed => {
                let Some(session) = self.find_session(&value).await? else { return Ok(None) };
                match self.use_session(&value, session, now).await? {
                    Used::Live(used) => self.known(used).await,
                    Used::Over | Used::Changed => Ok(None),
                }
            }
        }
    }

    async fn find_session(&self, value: &Secret) -> Result<Option<StoredSession>, Fault> {
        Ok(browser_sessions::find(self.store.read(), value.hash()).await?)
    }

    async fn use_session(
        &self,
        value: &Secret,
        session: StoredSession,
        now: Timestamp,
    ) -> Result<Used, Fault> {
        let ttls = self.config.session;
        let live = |session: StoredSession, cookie, expires_at| {
            Ok(Used::Live(Live { session, cookie, expires_at }))
        };
        let expires_at = session.standing.expires_at;
        match decide(&session.standing, ttls.idle, now) {
            Decision::Use => live(session, None, expires_at),
            Decision::Confirm => {
                // Whoever confirmed it, it is confirmed.
                transact!(self.store, txn => browser_sessions::confirm(txn, &session, now).await)?;
                live(session, None, expires_at)
            }
            Decision::Renew { expires_at } => {
                let next = self.config.secret.session_successor_of(value);
                let renewed = transact!(self.store, txn => {
                    browser_sessions::renew(txn, &session, next.hash(), expires_at, now).await
                })?;
                match renewed {
                    Consumed::ByUs => {
                        let ends_at = session.standing.ends_at;
                        live(
                            session,
                            Some(self.session_cookie(&next, now.until(ends_at))),
                            expires_at,
                        )
                    }
                    Consumed::BySomeoneElse => Ok(Used::Changed),
                }
            }
            Decision::Repeat => {
                let stored = session.value_hash;
                let next = self.config.secret.session_successor_matching(value, stored);
                let ends_at = session.standing.ends_at;
                let cookie = next.map(|next| self.session_cookie(&next, now.until(ends_at)));
                live(session, cookie, expires_at)
            }
            Decision::Expired => Ok(Used::Over),
            Decision::End => {
                transact!(self.store, txn => browser_sessions::delete(txn, value.hash()).await)?;
                tracing::warn!(
                    flow = "session", outcome = "ended", reason = "a replaced value came back",
                    subject = %session.user_id,
                );
                Ok(Used::Over)
            }
        }
    }

    async fn known(&self, used: Live) -> Result<Option<SignedIn>, Fault> {
        let Live { session, cookie, expires_at } = used;
        // A person who was erased a moment ago took the session with them.
        let person = people::find(self.store.read(), session.user_id).await?;
        let Some(person) = person else { return Ok(None) };
        let profile = self.profile(&person.profile_sealed)?;
        let told = Told {
            upstream_issuer: &person.upstream_issuer,
            upstream_subject: &person.upstream_subject,
            profile: &profile,
        };
        Ok(Some(SignedIn {
            is_let_in: self.lets_in(told),
            id: session.id,
            user_id: session.user_id,
            began_at: session.began_at,
            profile,
            attribution: person.attribution,
            expires_at,
            cookie,
        }))
    }

    /// A session of a person who has just signed in, with a value that nobody has seen: one that
    /// was in the browser before is worth nothing afterwards (RFC 9700 §4.7; session fixation).
    pub fn prepare_session(&self, user_id: UserId, now: Timestamp) -> PreparedSession {
        let ttls = self.config.session;
        let value = Secret::generate(&*self.entropy, Kind::BrowserSession);
        let ends_at = now.plus(ttls.max);
        let row = NewSession {
            id: BrowserSessionId::generate(&*self.entropy, now),
            user_id,
            value_hash: value.hash(),
            expires_at: now.plus(ttls.idle).min(ends_at),
            ends_at,
        };
        PreparedSession { row, cookie: self.session_cookie(&value, ttls.max) }
    }
}

enum Used {
    Live(Live),
    Over,
    Changed,
}

struct Live {
    session: StoredSession,
    cookie: Option<String>,
    expires_at: Timestamp,
}
