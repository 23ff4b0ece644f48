//! What a browser keeps: that it is the same one, and that it began this login.
//!
//! Both cookies are sealed, so a changed one counts as absent. `__Host-` ties them to this origin
//! over TLS (RFC 6265bis §4.1.3.2); on loopback without TLS the prefix cannot work and is left out.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::flow::Gatehouse;
use crate::id::{AuthorizationRequestId, UserId};
use crate::secret::{Kind, Secret, SecretHash, base64url};
use crate::server_secret::Purpose;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// How long a browser is known without a sign-in.
const BROWSER_KEPT: Duration = Duration::from_hours(24 * 90);

/// The cookies a request brought, by name; of several with one name, none.
pub trait Cookies {
    /// The value of a cookie.
    fn cookie(&self, name: &str) -> Option<&str>;
}

/// One browser.
#[derive(Clone)]
pub struct Browser {
    secret: Secret,
    /// Who signed in here last; their earlier approvals may stand in for the page.
    pub user_id: Option<UserId>,
}

#[derive(Serialize, Deserialize)]
struct Sealed {
    browser: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    user: Option<String>,
}

impl Browser {
    /// What is stored of it.
    pub fn hash(&self) -> SecretHash {
        self.secret.hash()
    }
}

impl Gatehouse {
    fn cookie_prefix(&self) -> &'static str {
        if self.config.public_url.starts_with("https://") { "__Host-" } else { "" }
    }

    fn browser_cookie_name(&self) -> String {
        format!("{}gatehouse_browser", self.cookie_prefix())
    }

    /// One name per login, so that two tabs do not overwrite each other's.
    fn login_cookie_name(&self, state: SecretHash) -> String {
        let short = base64url(&state.as_bytes()[..9]);
        format!("{}gatehouse_login_{short}", self.cookie_prefix())
    }

    fn set_cookie(&self, name: &str, value: &str, max_age: Duration) -> String {
        let secure = if self.cookie_prefix().is_empty() { "" } else { "; Secure" };
        let seconds = max_age.as_secs();
        format!("{name}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}")
    }

    /// The browser this request came from, if it is known.
    pub fn known_browser(&self, cookies: &impl Cookies) -> Option<Browser> {
        let value = cookies.cookie(&self.browser_cookie_name())?;
        let sealed = URL_SAFE_NO_PAD.decode(value).ok()?;
        let opened = self.config.secret.unseal(Purpose::BrowserCookie, &sealed)?;
        let sealed: Sealed = serde_json::from_slice(&opened).ok()?;
        Some(Browser {
            secret: Secret::presented(sealed.browser),
            user_id: sealed.user.as_deref().and_then(UserId::parse),
        })
    }

    /// A browser that was not known.
    pub fn new_browser(&self) -> Browser {
        Browser { secret: Secret::generate(&*self.entropy, Kind::Browser), user_id: None }
    }

    /// The cookie by which it is known from now on.
    pub fn browser_cookie(&self, browser: &Browser) -> String {
        let sealed = Sealed {
            browser: browser.secret.expose().to_owned(),
            user: browser.user_id.map(|id| id.to_string()),
        };
        let text = serde_json::to_vec(&sealed).expect("two strings are plain JSON");
        let sealed = self.config.secret.seal(&*self.entropy, Purpose::BrowserCookie, &text);
        self.set_cookie(&self.browser_cookie_name(), &base64url(&sealed), BROWSER_KEPT)
    }

    /// The same browser with another last person. The secret changes as well: whoever planted a
    /// cookie before the sign-in does not hold the one after it.
    pub fn browser_of(&self, user_id: Option<UserId>) -> Browser {
        Browser { user_id, ..self.new_browser() }
    }

    /// The token of a consent form: bound to one request and one browser.
    pub fn csrf_token(&self, request: AuthorizationRequestId, browser: SecretHash) -> String {
        let request = request.uuid();
        self.config.secret.mac(Purpose::Csrf, &[request.as_bytes(), browser.as_bytes()])
    }

    /// Whether `presented` is that token.
    pub fn csrf_token_matches(
        &self,
        request: AuthorizationRequestId,
        browser: SecretHash,
        presented: &str,
    ) -> bool {
        let request = request.uuid();
        let parts: [&[u8]; 2] = [request.as_bytes(), browser.as_bytes()];
        self.config.secret.mac_matches(Purpose::Csrf, &parts, presented)
    }

    /// The cookie that binds one login to this browser.
    pub fn login_cookie(&self, state: SecretHash) -> String {
        let sealed =
            self.config.secret.seal(&*self.entropy, Purpose::LoginCookie, state.as_bytes());
        let max_age = self.config.authorization_request_ttl;
        self.set_cookie(&self.login_cookie_name(state), &base64url(&sealed), max_age)
    }

    /// Whether the browser holds the cookie of this login.
    pub fn holds_login_cookie(&self, cookies: &impl Cookies, state: SecretHash) -> bool {
        let opened = cookies
            .cookie(&self.login_cookie_name(state))
            .and_then(|value| URL_SAFE_NO_PAD.decode(value).ok())
            .and_then(|sealed| self.config.secret.unseal(Purpose::LoginCookie, &sealed));
        opened.is_some_and(|opened| opened == state.as_bytes())
    }

    /// Takes the cookie of a finished login away.
    pub fn expired_login_cookie(&self, state: SecretHash) -> String {
        self.set_cookie(&self.login_cookie_name(state), "", Duration::ZERO)
    }
}
