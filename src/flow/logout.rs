//! `GET` and `POST /logout`: a browser is signed out, here and at the provider (OpenID Connect
//! RP-Initiated Logout 1.0).
//!
//! 1. A visit asks; only a form of that page, shown to this session, signs out.
//! 2. Ask the provider where its logout is, with nothing held. One that does not answer, or has
//!    none, does not keep anybody signed in here.
//! 3. One write: the session goes.
//! 4. On to the provider's logout, which leads back here, and from here to a listed site when that
//!    was asked for. Where to travels sealed, so that nobody else can write it.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::domain::refusal::{AccountRefusal, ReturnRefusal};
use crate::domain::return_to::ReturnTo;
use crate::flow::browser::Cookies;
use crate::flow::{Fault, Gatehouse, chain};
use crate::secret::base64url;
use crate::server_secret::Purpose;
use crate::store::{browser_sessions, transact};

/// The path of the page, below `pages_path`.
pub const LOGOUT_PATH: &str = "/logout";

/// What a visit gets.
pub enum LogoutPage {
    /// The person is asked.
    Ask {
        /// Ties the form to this session.
        form: String,
        /// Where to afterwards.
        return_to: Option<ReturnTo>,
        /// Cookies to change.
        cookies: Vec<String>,
    },
    /// Nobody is signed in with this browser.
    SignedOut {
        /// Where the person wanted to go.
        return_to: Option<ReturnTo>,
    },
    /// Back from the provider's logout, and on.
    Back {
        /// A listed site.
        location: String,
    },
    /// It may not lead there.
    Refused(ReturnRefusal),
}

/// What the form brought.
pub struct PresentedLogout<'a> {
    /// What ties it to the session.
    pub form: &'a str,
    /// Where to afterwards.
    pub return_to: Option<&'a str>,
    /// Whether the browser says that the form came from another site.
    pub is_cross_site: bool,
}

/// How it ends.
pub enum Logout {
    /// Signed out.
    Done {
        /// Where the browser goes.
        location: String,
        /// Cookies to change.
        cookies: Vec<String>,
    },
    /// Nobody is signed in with this browser.
    SignedOut,
    /// Not acted on.
    Refused(AccountRefusal),
    /// It may not lead there.
    Nowhere(ReturnRefusal),
}

/// Where a browser goes that is back from the provider's logout.
#[derive(Serialize, Deserialize)]
struct Carried {
    return_to: String,
    expires_at: i64,
}

impl Gatehouse {
    /// The page.
    pub async fn logout_page(
        &self,
        pairs: &[(String, String)],
        cookies: &impl Cookies,
    ) -> Result<LogoutPage, Fault> {
        let now = self.clock.now();
        if let Some(return_to) = self.back_from_logout(pairs, now) {
            return Ok(LogoutPage::Back { location: return_to.as_str().to_owned() });
        }
        let is_asked = pairs.iter().any(|(key, _)| key == "return_to");
        let return_to = match is_asked.then(|| self.return_to(pairs)).transpose() {
            Ok(return_to) => return_to,
            Err(refusal) => return Ok(LogoutPage::Refused(refusal)),
        };
        Ok(match self.signed_in(cookies, now).await? {
            Some(signed_in) => LogoutPage::Ask {
                form: self.form_of(&signed_in),
                return_to,
                cookies: signed_in.cookie.into_iter().collect(),
            },
            None => LogoutPage::SignedOut { return_to },
        })
    }

    /// The exchange.
    pub async fn log_out(
        &self,
        presented: PresentedLogout<'_>,
        cookies: &impl Cookies,
    ) -> Result<Logout, Fault> {
        let now = self.clock.now();
        let return_to = match presented.return_to.map(|text| self.judged(text)).transpose() {
            Ok(return_to) => return_to,
            Err(refusal) => return Ok(Logout::Nowhere(refusal)),
        };
        let value = self.session_value(cookies);
        let signed_in = self.signed_in(cookies, now).await?;
        let (Some(value), Some(signed_in)) = (value, signed_in) else {
            return Ok(Logout::SignedOut);
        };
        if presented.is_cross_site || !self.is_form_of(&signed_in, presented.form) {
            return Ok(Logout::Refused(AccountRefusal::ForeignForm));
        }
        let upstream = self.upstream_logout(return_to.as_ref(), now).await;
        // By the value as it came: if it was renewed just now, it is the one before.
        transact!(self.store, txn => browser_sessions::delete(txn, value.hash()).await)?;
        tracing::info!(flow = "logout", outcome = "signed_out", subject = %signed_in.user_id);
        let location = upstream
            .or_else(|| return_to.map(|return_to| return_to.as_str().to_owned()))
            .unwrap_or_else(|| self.config.page_path(LOGOUT_PATH));
        // Who signed in here last is forgotten, too: this may be somebody else's computer.
        let cookies = vec![self.expired_session_cookie(), self.expired_person_cookie()];
        Ok(Logout::Done { location, cookies })
    }

    async fn upstream_logout(
        &self,
        return_to: Option<&ReturnTo>,
        now: Timestamp,
    ) -> Option<String> {
        let upstream = self.upstream.as_ref()?;
        let endpoints = match upstream.discover().await {
            Ok(endpoints) => endpoints,
            Err(error) => {
                tracing::warn!(flow = "logout", error = %chain(&error), "signed out here only");
                return None;
            }
        };
        let state = return_to.map(|return_to| self.sealed_return(return_to, now));
        upstream.logout_url(&endpoints, state.as_deref())
    }

    fn sealed_return(&self, return_to: &ReturnTo, now: Timestamp) -> String {
        let carried = Carried {
            return_to: return_to.as_str().to_owned(),
            expires_at: now.plus(self.config.authorization_request_ttl).millis(),
        };
        let text = serde_json::to_vec(&carried).expect("strings and numbers are plain JSON");
        base64url(&self.config.secret.seal(&*self.entropy, Purpose::LogoutReturn, &text))
    }

    /// Where a browser goes that brings the `state` we gave the provider's logout.
    fn back_from_logout(&self, pairs: &[(String, String)], now: Timestamp) -> Option<ReturnTo> {
        let (_, state) = pairs.iter().find(|(key, _)| key == "state")?;
        let sealed = URL_SAFE_NO_PAD.decode(state).ok()?;
        let text = self.config.secret.unseal(Purpose::LogoutReturn, &sealed)?;
        let carried: Carried = serde_json::from_slice(&text).ok()?;
        (now < Timestamp::from_millis(carried.expires_at)).then_some(())?;
        // The setting may have changed meanwhile.
        self.judged(&carried.return_to).ok()
    }
}
