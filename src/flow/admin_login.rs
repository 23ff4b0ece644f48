//! Signing in to the admin pages: with the provider of every other sign-in, on the public listener,
//! and from there to the admin listener with a code.
//!
//! 1. The admin listener makes a value, which the browser keeps in a cookie, and sends the browser
//!    to `/login` on the public one with the value's hash. No address travels along: there is one
//!    place to come back to, and the settings say where that is.
//! 2. The public listener asks the provider, whoever is signed in here already: a session at a
//!    documentation site, which lasts for weeks, opens no admin page (`flow::browser_login`).
//! 3. Who is not listed is told so there, and nothing is written of them. Who is gets a code: the
//!    person and that hash, sealed, good for a minute.
//! 4. The admin listener takes the code from the browser that holds the value, and from no other:
//!    nobody is signed in by a link that somebody else made (login CSRF), and a code that leaked is
//!    worth nothing.
//! 5. Claim: the code is spent, once. The list is asked again.
//! 6. One write: the session before it away, the new one, under a value that nobody has seen
//!    (session fixation).

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::domain::administrators::AdminRefusal;
use crate::domain::audit::{Actor, AuditKind};
use crate::flow::authorize::ToProvider;
use crate::flow::browser::Cookies;
use crate::flow::{Fault, Gatehouse};
use crate::id::{AdminSessionId, UserId};
use crate::secret::{Kind, Secret, SecretHash, base64url, constant_time_eq};
use crate::server_secret::Purpose;
use crate::store::admin_sessions::{self, AdminSession};
use crate::store::audit::{self, AuditRow};
use crate::store::{Consumed, browser_logins, transact};

/// The overview, on the admin listener.
pub const ADMIN_PATH: &str = "/admin/";

/// Where a sign-in begins, on the admin listener.
pub const ADMIN_LOGIN_PATH: &str = "/admin/login";

/// Where the browser comes back to, on the admin listener.
const SIGNED_IN_PATH: &str = "/admin/signed-in";

/// How long a session lasts that nobody uses.
pub const ADMIN_SESSION_IDLE: Duration = Duration::from_mins(30);

/// How long a session lasts, however much it is used.
pub const ADMIN_SESSION_MAX: Duration = Duration::from_hours(8);

/// How long the browser may take from one listener to the other.
const CODE_TTL: Duration = Duration::from_mins(1);

/// What a code says.
#[derive(Serialize, Deserialize)]
struct Code {
    user_id: String,
    challenge: String,
    expires_at: i64,
}

/// How a sign-in begins on the admin listener.
pub enum AdminLogin {
    /// The browser goes to the public listener.
    ToLogin(ToProvider),
    /// No person is listed, or nothing says where the admin pages are.
    Closed,
}

/// How it ends there.
pub enum AdminEntry {
    /// Somebody is signed in.
    SignedIn {
        /// Cookies to change.
        cookies: Vec<String>,
    },
    /// Nobody is.
    Refused(AdminRefusal),
}

impl Gatehouse {
    /// Whether people may sign in to the admin pages at all.
    pub fn admin_url(&self) -> Option<&str> {
        self.config.admin.url.as_deref().filter(|_| !self.administrators.is_empty())
    }

    /// Step 1.
    pub fn begin_admin_login(&self) -> AdminLogin {
        if self.admin_url().is_none() {
            return AdminLogin::Closed;
        }
        let value = Secret::generate(&*self.entropy, Kind::AdminLogin);
        let challenge = base64url(value.hash().as_bytes());
        let location = format!("{}?admin={challenge}", self.config.page_url("/login"));
        let name = self.admin_cookie_name("admin_login");
        let max_age = self.config.authorization_request_ttl;
        let cookies = vec![admin_cookie(&name, value.expose(), max_age)];
        AdminLogin::ToLogin(ToProvider { location, cookies })
    }

    /// What the admin listener sent along; none when it is not one of its hashes, or came twice.
    pub fn admin_challenge(&self, pairs: &[(String, String)]) -> Option<String> {
        self.admin_url()?;
        let mut found = pairs.iter().filter(|(key, _)| key == "admin");
        let (Some((_, challenge)), None) = (found.next(), found.next()) else { return None };
        let bytes = URL_SAFE_NO_PAD.decode(challenge).ok()?;
        SecretHash::from_stored(&bytes)?;
        Some(challenge.clone())
    }

    /// Step 3: where the browser goes with its code; none when the settings changed meanwhile.
    pub fn with_admin_code(&self, user_id: UserId, challenge: &str) -> Option<String> {
        let admin_url = self.admin_url()?;
        let code = Code {
            user_id: user_id.to_string(),
            challenge: challenge.to_owned(),
            expires_at: self.clock.now().plus(CODE_TTL).millis(),
        };
        let text = serde_json::to_vec(&code).expect("strings and numbers are plain JSON");
        let sealed = self.config.secret.seal(&*self.entropy, Purpose::AdminCode, &text);
        Some(format!("{admin_url}{SIGNED_IN_PATH}?code={}", base64url(&sealed)))
    }

    /// Steps 4 to 6.
    pub async fn enter_admin(
        &self,
        presented_code: &str,
        cookies: &impl Cookies,
    ) -> Result<AdminEntry, Fault> {
        let now = self.clock.now();
        let refused = |refusal| Ok(AdminEntry::Refused(refusal));
        let Some((user_id, expires_at)) = self.opened_code(presented_code, cookies, now) else {
            tracing::info!(flow = "admin", outcome = "refused", reason = "stale sign-in");
            return refused(AdminRefusal::StaleLogin);
        };
        let code_hash = Secret::presented(presented_code.to_owned()).hash();
        let claimed = transact!(self.store, txn => {
            browser_logins::claim(txn, code_hash, expires_at, now).await
        })?;
        if claimed == Consumed::BySomeoneElse {
            tracing::warn!(flow = "admin", outcome = "refused", reason = "code spent", %user_id);
            return refused(AdminRefusal::StaleLogin);
        }
        if !self.is_administrator(user_id).await? {
            tracing::warn!(flow = "admin", outcome = "refused", reason = "not listed", %user_id);
            return refused(AdminRefusal::NotListed);
        }
        let cookie = self.begin_admin_session(user_id, cookies, now).await?;
        tracing::info!(flow = "admin", outcome = "signed_in", who = format!("person:{user_id}"));
        let spent = self.expired_admin_cookie("admin_login");
        Ok(AdminEntry::SignedIn { cookies: vec![cookie, spent] })
    }

    /// Whose code it is, when this browser began the sign-in.
    fn opened_code(
        &self,
        presented_code: &str,
        cookies: &impl Cookies,
        now: Timestamp,
    ) -> Option<(UserId, Timestamp)> {
        let sealed = URL_SAFE_NO_PAD.decode(presented_code).ok()?;
        let text = self.config.secret.unseal(Purpose::AdminCode, &sealed)?;
        let code: Code = serde_json::from_slice(&text).ok()?;
        let value = cookies.cookie(&self.admin_cookie_name("admin_login"))?;
        let challenge = base64url(Secret::presented(value.to_owned()).hash().as_bytes());
        let is_this_browser = constant_time_eq(challenge.as_bytes(), code.challenge.as_bytes());
        let expires_at = Timestamp::from_millis(code.expires_at);
        (is_this_browser && now < expires_at).then_some(())?;
        Some((UserId::parse(&code.user_id)?, expires_at))
    }

    async fn begin_admin_session(
        &self,
        user_id: UserId,
        cookies: &impl Cookies,
        now: Timestamp,
    ) -> Result<String, Fault> {
        let value = Secret::generate(&*self.entropy, Kind::AdminSession);
        let before = self.admin_session_value(cookies).map(|value| value.hash());
        let session = AdminSession {
            id: AdminSessionId::generate(&*self.entropy, now),
            user_id,
            used_at: now,
            expires_at: now.plus(ADMIN_SESSION_IDLE),
            ends_at: now.plus(ADMIN_SESSION_MAX),
        };
        transact!(self.store, txn => {
            if let Some(before) = before {
                admin_sessions::delete(txn, before).await?;
            }
            admin_sessions::insert(txn, session, value.hash(), now).await?;
            let by = Actor::Person(user_id);
            let row = AuditRow::new(&*self.entropy, AuditKind::SignedIn, by, now);
            audit::write(txn, [row.of_person(user_id).because("administration")]).await
        })?;
        let name = self.admin_cookie_name("admin");
        Ok(admin_cookie(&name, value.expose(), ADMIN_SESSION_MAX))
    }

    /// Ends the session of this browser; the cookie to change.
    pub async fn leave_admin(&self, cookies: &impl Cookies) -> Result<String, Fault> {
        if let Some(value) = self.admin_session_value(cookies) {
            transact!(self.store, txn => admin_sessions::delete(txn, value.hash()).await)?;
        }
        Ok(self.expired_admin_cookie("admin"))
    }

    /// The value of this browser's session, if it has one.
    pub fn admin_session_value(&self, cookies: &impl Cookies) -> Option<Secret> {
        let value = cookies.cookie(&self.admin_cookie_name("admin"))?;
        Some(Secret::presented(value.to_owned()))
    }

    /// Cookies know no ports, so the names differ from those of the public listener; and a prefix
    /// that asks for the path `/` would show them to whatever else is on the host.
    fn admin_cookie_name(&self, name: &str) -> String {
        let is_tls = self.config.admin.url.as_ref().is_some_and(|url| url.starts_with("https://"));
        format!("{}gatehouse_{name}", if is_tls { "__Secure-" } else { "" })
    }

    fn expired_admin_cookie(&self, name: &str) -> String {
        admin_cookie(&self.admin_cookie_name(name), "", Duration::ZERO)
    }
}

/// What is set in the browser, for the admin listener alone.
fn admin_cookie(name: &str, value: &str, max_age: Duration) -> String {
    let secure = if name.starts_with("__Secure-") { "; Secure" } else { "" };
    let seconds = max_age.as_secs();
    // Not Strict: the way back from the public listener may be one between sites. What changes
    // anything needs a form of the session anyway.
    format!("{name}={value}; Path=/admin; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}")
}
