//! Who administers, asked with each request: by a token, or in a browser that is signed in.
//!
//! 1. A token counts alone. One that is void is not made up for by a session.
//! 2. A session counts while it lives, and while its person is still listed: the list is asked each
//!    time, with what the provider said last.
//! 3. What changes something needs a token of the scope `write`; or, in a session, that the request
//!    comes from our own page and carries what only that page was given (CSRF).

use std::fmt;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::clock::Timestamp;
use crate::domain::administrators::{AdminRefusal, AdminScope, is_live};
use crate::domain::audit::Actor;
use crate::domain::organization::Told;
use crate::flow::admin_login::ADMIN_SESSION_IDLE;
use crate::flow::browser::Cookies;
use crate::flow::{Fault, Gatehouse};
use crate::id::{AdminSessionId, UserId};
use crate::secret::{Secret, base64url, constant_time_eq};
use crate::server_secret::Purpose;
use crate::store::admin_sessions::{self, AdminSession};
use crate::store::{admin_tokens, people, transact};

/// How exact the note of a last use is: a page is made of several requests.
const USE_NOTED_EVERY: Duration = Duration::from_mins(1);

/// What a request brought besides its cookies.
#[derive(Clone, Copy, Debug)]
pub struct AdminCredentials<'a> {
    /// The header, as it came.
    pub authorization: Authorization<'a>,
    /// What ties the request to a page of the session.
    pub form: Option<&'a str>,
    /// Whether the browser says that another site sent it.
    pub is_cross_site: bool,
}

/// The `Authorization` header.
#[derive(Clone, Copy, Debug)]
pub enum Authorization<'a> {
    /// It is not there.
    Absent,
    /// A bearer token (RFC 6750 §2.1).
    Bearer(&'a str),
    /// Something else, or several.
    Malformed,
}

/// Who administers.
#[derive(Clone, Debug)]
pub enum Who {
    /// A person in a browser.
    Person(UserId, AdminSessionId),
    /// A program; the token's name.
    Token(String),
}

impl Who {
    /// As the audit log calls them.
    pub fn actor(&self) -> Actor<'_> {
        match self {
            Self::Person(user_id, _) => Actor::Person(*user_id),
            Self::Token(name) => Actor::Token(name),
        }
    }
}

/// As the log calls them.
impl fmt::Display for Who {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Person(user_id, _) => write!(f, "person:{user_id}"),
            Self::Token(name) => write!(f, "token:{name}"),
        }
    }
}

/// Somebody who administers.
#[derive(Clone, Debug)]
pub struct Administrator {
    /// Who.
    pub who: Who,
    /// What they may do.
    pub scope: AdminScope,
}

impl Gatehouse {
    /// Who asks, if they may; `need` is what they want to do.
    pub async fn administrator(
        &self,
        credentials: AdminCredentials<'_>,
        cookies: &impl Cookies,
        need: AdminScope,
    ) -> Result<Result<Administrator, AdminRefusal>, Fault> {
        let now = self.clock.now();
        let admitted = match credentials.authorization {
            Authorization::Bearer(token) => self.by_token(token, now).await?,
            Authorization::Malformed => Err(AdminRefusal::BadToken),
            Authorization::Absent => self.by_session(credentials, cookies, need, now).await?,
        };
        let admitted = admitted.and_then(|it| {
            if it.scope >= need { Ok(it) } else { Err(AdminRefusal::ScopeTooSmall) }
        });
        if let Err(refusal) = &admitted {
            tracing::info!(flow = "admin", outcome = "refused", reason = ?refusal);
        }
        Ok(admitted)
    }

    async fn by_token(
        &self,
        presented: &str,
        now: Timestamp,
    ) -> Result<Result<Administrator, AdminRefusal>, Fault> {
        let hash = Secret::presented(presented.to_owned()).hash();
        let token = admin_tokens::find(self.store.read(), hash).await?.filter(|token| {
            token.revoked_at.is_none() && token.expires_at.is_none_or(|ends_at| now < ends_at)
        });
        let Some(token) = token else { return Ok(Err(AdminRefusal::BadToken)) };
        if !token.used_at.is_some_and(|used_at| now.is_within(used_at, USE_NOTED_EVERY)) {
            transact!(self.store, txn => admin_tokens::mark_used(txn, token.id, now).await)?;
        }
        Ok(Ok(Administrator { who: Who::Token(token.name), scope: token.scope }))
    }

    async fn by_session(
        &self,
        credentials: AdminCredentials<'_>,
        cookies: &impl Cookies,
        need: AdminScope,
        now: Timestamp,
    ) -> Result<Result<Administrator, AdminRefusal>, Fault> {
        let Some(value) = self.admin_session_value(cookies) else {
            return Ok(Err(AdminRefusal::NoCredential));
        };
        let found = admin_sessions::find(self.store.read(), value.hash()).await?;
        let Some(session) = found.filter(|it| is_live(it.expires_at, it.ends_at, now)) else {
            return Ok(Err(AdminRefusal::NoSession));
        };
        if !self.is_administrator(session.user_id).await? {
            return Ok(Err(AdminRefusal::NotListed));
        }
        let changes = need == AdminScope::Write;
        let is_ours = credentials.form.is_some_and(|form| self.is_admin_form(session.id, form));
        if changes && (credentials.is_cross_site || !is_ours) {
            return Ok(Err(AdminRefusal::ForeignForm));
        }
        self.note_use(&session, now).await?;
        let who = Who::Person(session.user_id, session.id);
        Ok(Ok(Administrator { who, scope: AdminScope::Write }))
    }

    async fn note_use(&self, session: &AdminSession, now: Timestamp) -> Result<(), Fault> {
        if now.is_within(session.used_at, USE_NOTED_EVERY) {
            return Ok(());
        }
        let expires_at = now.plus(ADMIN_SESSION_IDLE).min(session.ends_at);
        // Whoever notes it, it is noted.
        transact!(self.store, txn => {
            admin_sessions::mark_used(txn, session.id, expires_at, now).await
        })?;
        Ok(())
    }

    /// Whether the list names this person now. Who is gone is not listed.
    pub async fn is_administrator(&self, user_id: UserId) -> Result<bool, Fault> {
        let Some(person) = people::find(self.store.read(), user_id).await? else {
            return Ok(false);
        };
        let profile = self.profile(&person.profile_sealed)?;
        let told = Told {
            upstream_issuer: &person.upstream_issuer,
            upstream_subject: &person.upstream_subject,
            profile: &profile,
        };
        Ok(self.administrators.include(told, &self.organizations))
    }

    /// What ties a form to the session it is shown in; none for a program, which needs none.
    pub fn admin_form(&self, administrator: &Administrator) -> Option<String> {
        let Who::Person(_, session) = &administrator.who else { return None };
        let bytes = session.uuid().into_bytes();
        Some(base64url(&self.config.secret.seal(&*self.entropy, Purpose::AdminForm, &bytes)))
    }

    fn is_admin_form(&self, session: AdminSessionId, presented_form: &str) -> bool {
        let sealed = URL_SAFE_NO_PAD.decode(presented_form).ok();
        let opened = sealed.and_then(|it| self.config.secret.unseal(Purpose::AdminForm, &it));
        opened.is_some_and(|opened| constant_time_eq(&opened, session.uuid().as_bytes()))
    }
}
