//! What a browser keeps: the requests it was shown, the logins it began, who signed in here last,
//! who is signed in now.
//!
//! Every cookie is sealed, so a changed one counts as absent. Requests and logins have a cookie
//! each, named after them, so that tabs do not disturb each other. `__Host-` ties them to this
//! origin over TLS (RFC 6265bis §4.1.3.2); on loopback without TLS the prefix cannot work and is
//! left out.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::flow::Gatehouse;
use crate::id::{AuthorizationRequestId, UserId};
use crate::secret::{Secret, SecretHash, base64url, sha256};
use crate::server_secret::Purpose;

/// How long it is remembered who signed in last.
const PERSON_KEPT: Duration = Duration::from_hours(24 * 90);

/// The cookies a request brought, by name; of several with one name, none.
pub trait Cookies {
    /// The value of a cookie.
    fn cookie(&self, name: &str) -> Option<&str>;
}

impl Gatehouse {
    fn cookie_name(&self, name: &str) -> String {
        let is_tls = self.config.public_url.starts_with("https://");
        format!("{}gatehouse_{name}", if is_tls { "__Host-" } else { "" })
    }

    /// A cookie of ours with a sealed value.
    pub fn sealed_cookie(
        &self,
        name: &str,
        purpose: Purpose,
        value: &[u8],
        max_age: Duration,
    ) -> String {
        let sealed = self.config.secret.seal(&*self.entropy, purpose, value);
        set_cookie(name, &base64url(&sealed), max_age)
    }

    /// What a cookie of ours holds; a changed one counts as none.
    pub fn opened_cookie(
        &self,
        cookies: &impl Cookies,
        name: &str,
        purpose: Purpose,
    ) -> Option<Vec<u8>> {
        let sealed = URL_SAFE_NO_PAD.decode(cookies.cookie(name)?).ok()?;
        self.config.secret.unseal(purpose, &sealed)
    }

    fn request_cookie_name(&self, id: AuthorizationRequestId) -> String {
        // Of a version 7 UUID the last bytes are the random ones; a hash spares the thought.
        self.cookie_name(&format!("request_{}", base64url(&sha256(id.uuid().as_bytes())[..9])))
    }

    /// The cookie that binds a consent form to the browser it is shown in.
    pub fn request_cookie(&self, id: AuthorizationRequestId) -> String {
        let max_age = self.config.authorization_request_ttl;
        let (name, uuid) = (self.request_cookie_name(id), id.uuid());
        self.sealed_cookie(&name, Purpose::RequestCookie, uuid.as_bytes(), max_age)
    }

    /// Whether the browser was shown this request.
    pub fn holds_request_cookie(&self, cookies: &impl Cookies, id: AuthorizationRequestId) -> bool {
        let name = self.request_cookie_name(id);
        let opened = self.opened_cookie(cookies, &name, Purpose::RequestCookie);
        opened.is_some_and(|opened| opened == id.uuid().as_bytes())
    }

    /// What the cookie of one login is called.
    pub fn login_cookie_name(&self, state: SecretHash) -> String {
        self.cookie_name(&format!("login_{}", base64url(&state.as_bytes()[..9])))
    }

    /// The cookie that binds one login to this browser.
    pub fn login_cookie(&self, state: SecretHash) -> String {
        let max_age = self.config.authorization_request_ttl;
        let name = self.login_cookie_name(state);
        self.sealed_cookie(&name, Purpose::LoginCookie, state.as_bytes(), max_age)
    }

    /// Whether the browser holds the cookie of this login.
    pub fn holds_login_cookie(&self, cookies: &impl Cookies, state: SecretHash) -> bool {
        let name = self.login_cookie_name(state);
        let opened = self.opened_cookie(cookies, &name, Purpose::LoginCookie);
        opened.is_some_and(|opened| opened == state.as_bytes())
    }

    /// Who signed in here last; their earlier approvals may stand in for the page.
    pub fn last_person(&self, cookies: &impl Cookies) -> Option<UserId> {
        let name = self.cookie_name("person");
        let opened = self.opened_cookie(cookies, &name, Purpose::PersonCookie)?;
        UserId::parse(std::str::from_utf8(&opened).ok()?)
    }

    /// Remembers who signed in.
    pub fn person_cookie(&self, person: UserId) -> String {
        let name = self.cookie_name("person");
        let value = person.to_string();
        self.sealed_cookie(&name, Purpose::PersonCookie, value.as_bytes(), PERSON_KEPT)
    }

    /// The value of this browser's session, if it has one.
    pub fn session_value(&self, cookies: &impl Cookies) -> Option<Secret> {
        let name = self.cookie_name("session");
        let opened = self.opened_cookie(cookies, &name, Purpose::SessionCookie)?;
        String::from_utf8(opened).ok().map(Secret::presented)
    }

    /// Gives the browser the value of its session.
    pub fn session_cookie(&self, value: &Secret, max_age: Duration) -> String {
        let name = self.cookie_name("session");
        self.sealed_cookie(&name, Purpose::SessionCookie, value.expose().as_bytes(), max_age)
    }

    /// Takes the session away.
    pub fn expired_session_cookie(&self) -> String {
        set_cookie(&self.cookie_name("session"), "", Duration::ZERO)
    }

    /// Forgets who signed in.
    pub fn expired_person_cookie(&self) -> String {
        set_cookie(&self.cookie_name("person"), "", Duration::ZERO)
    }
}

fn set_cookie(name: &str, value: &str, max_age: Duration) -> String {
    let secure = if name.starts_with("__Host-") { "; Secure" } else { "" };
    let seconds = max_age.as_secs();
    format!("{name}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}")
}
