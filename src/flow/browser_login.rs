//! `GET /login`: a person signs in with their browser, to their account page or to a documentation
//! site. The provider and its redirect URI are those of every other sign-in.
//!
//! 1. Where the browser is to go afterwards must be listed (`domain::return_to`), or be the admin
//!    listener, which is asked for by other means (`flow::admin_login`).
//! 2. Who is signed in already goes there at once; to the admin listener nobody does.
//! 3. Otherwise state, nonce and verifier are made. They travel, with the address, sealed in a
//!    cookie of this very login, so that asking fills no table; and the browser goes to the
//!    provider.
//!
//! Back at the callback (`flow::callback`):
//!
//! 4. The cookie says what the login was for. A browser without it has begun no such login.
//! 5. Claim: its row is written, once.
//! 6. Redeem the code and believe the ID token, or not, with nothing held.
//! 7. Gate: a work address where one is required.
//! 8. One write: the person and their organization, what sinks are told of it, the session before
//!    it away, the new session. On the way to the admin listener nobody is signed in here: the
//!    person alone is written, if they are listed.

use serde::{Deserialize, Serialize};

use crate::attribution::happening::SignInTo;
use crate::clock::Timestamp;
use crate::domain::email_domain;
use crate::domain::organization::Told;
use crate::domain::refusal::{AuthorizeRefusal, CallbackRefusal, ReturnRefusal};
use crate::domain::return_to::{ReturnPlaces, ReturnTo};
use crate::domain::upstream_login::Identity;
use crate::flow::authorize::ToProvider;
use crate::flow::browser::Cookies;
use crate::flow::browser_session::PreparedSession;
use crate::flow::callback::{CallbackOutcome, PresentedCallback};
use crate::flow::sign_in_events::SignedInPerson;
use crate::flow::{Fault, Gatehouse};
use crate::id::UserId;
use crate::secret::{Kind, Secret, SecretHash, base64url};
use crate::server_secret::Purpose;
use crate::store::{Consumed, browser_logins, browser_sessions, transact};
use crate::upstream::LoginSecrets;

/// The path of the account page, below `pages_path`.
pub const ACCOUNT_PATH: &str = "/account";

/// How a login begins.
pub enum Login {
    /// The browser goes to the provider.
    ToProvider(ToProvider),
    /// Somebody is signed in already.
    Back {
        /// Where they wanted to go.
        location: String,
        /// Cookies to change.
        cookies: Vec<String>,
    },
    /// It may not lead there.
    Refused(ReturnRefusal),
}

/// A login under way, as its cookie carries it.
#[derive(Serialize, Deserialize)]
struct Carried {
    state_hash: String,
    nonce: String,
    code_verifier: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    return_to: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    admin: Option<String>,
    expires_at: i64,
}

/// Where a login leads.
#[derive(Clone, Debug)]
pub enum Goal {
    /// To a site, or the account page.
    Place(ReturnTo),
    /// To the admin listener, with what it sent along.
    Admin(String),
}

/// A login that this browser began.
pub struct BegunLogin {
    state_hash: SecretHash,
    nonce: Secret,
    code_verifier: Secret,
    goal: Goal,
    expires_at: Timestamp,
}

impl Gatehouse {
    /// Where browsers may be sent, in their one spelling.
    pub fn return_to(&self, pairs: &[(String, String)]) -> Result<ReturnTo, ReturnRefusal> {
        let mut found = pairs.iter().filter(|(key, _)| key == "return_to");
        match (found.next(), found.next()) {
            (Some((_, presented)), None) => self.judged(presented),
            _ => Err(ReturnRefusal::Missing),
        }
    }

    /// Judges one address.
    pub fn judged(&self, presented: &str) -> Result<ReturnTo, ReturnRefusal> {
        let account_url = self.config.page_url(ACCOUNT_PATH);
        let site_origins = &self.config.site_origins;
        ReturnTo::parse(presented, ReturnPlaces { site_origins, account_url: &account_url })
    }

    fn goal(&self, pairs: &[(String, String)]) -> Result<Goal, ReturnRefusal> {
        let is_named = |name: &str| pairs.iter().any(|(key, _)| key == name);
        match (is_named("admin"), is_named("return_to")) {
            (false, _) => self.return_to(pairs).map(Goal::Place),
            (true, true) => Err(ReturnRefusal::Missing),
            (true, false) => {
                self.admin_challenge(pairs).map(Goal::Admin).ok_or(ReturnRefusal::Foreign)
            }
        }
    }

    /// The exchange, up to the provider.
    pub async fn log_in(
        &self,
        pairs: &[(String, String)],
        cookies: &impl Cookies,
    ) -> Result<Login, Fault> {
        let now = self.clock.now();
        let goal = match self.goal(pairs) {
            Ok(goal) => goal,
            Err(refusal) => return Ok(Login::Refused(refusal)),
        };
        if let Goal::Place(return_to) = &goal
            && let Some(signed_in) = self.signed_in(cookies, now).await?.filter(|it| it.is_let_in)
        {
            let location = return_to.as_str().to_owned();
            return Ok(Login::Back { location, cookies: signed_in.cookie.into_iter().collect() });
        }
        let upstream = self.upstream.as_ref().ok_or(Fault::NoUpstream)?;
        let endpoints = upstream.discover().await?;
        let secrets = LoginSecrets {
            state: Secret::generate(&*self.entropy, Kind::UpstreamState),
            nonce: Secret::generate(&*self.entropy, Kind::UpstreamNonce),
            code_verifier: Secret::generate(&*self.entropy, Kind::UpstreamCodeVerifier),
        };
        let carried = Carried {
            state_hash: base64url(secrets.state.hash().as_bytes()),
            nonce: secrets.nonce.expose().to_owned(),
            code_verifier: secrets.code_verifier.expose().to_owned(),
            return_to: match &goal {
                Goal::Place(return_to) => return_to.as_str().to_owned(),
                Goal::Admin(_) => String::new(),
            },
            admin: match goal {
                Goal::Place(_) => None,
                Goal::Admin(challenge) => Some(challenge),
            },
            expires_at: now.plus(self.config.authorization_request_ttl).millis(),
        };
        let text = serde_json::to_vec(&carried).expect("strings and numbers are plain JSON");
        let cookie = self.browser_login_cookie(secrets.state.hash(), &text);
        tracing::info!(flow = "login", outcome = "begun");
        let location = upstream.login_url(&endpoints, &secrets);
        Ok(Login::ToProvider(ToProvider { location, cookies: vec![cookie] }))
    }

    /// The login that a `state` names, when this browser began it and its time is not over. Where
    /// it leads is judged again: the setting may have changed meanwhile.
    pub fn begun_login(
        &self,
        cookies: &impl Cookies,
        state_hash: SecretHash,
        now: Timestamp,
    ) -> Option<BegunLogin> {
        let text = self.opened_browser_login(cookies, state_hash)?;
        let carried: Carried = serde_json::from_slice(&text).ok()?;
        let expires_at = Timestamp::from_millis(carried.expires_at);
        // The name of the cookie holds a part of the hash only.
        let is_this_one = carried.state_hash == base64url(state_hash.as_bytes());
        (is_this_one && now < expires_at).then_some(())?;
        Some(BegunLogin {
            state_hash,
            nonce: Secret::presented(carried.nonce),
            code_verifier: Secret::presented(carried.code_verifier),
            goal: match carried.admin {
                Some(challenge) => Goal::Admin(challenge),
                None => Goal::Place(self.judged(&carried.return_to).ok()?),
            },
            expires_at,
        })
    }

    /// The second half of the exchange, from the callback on.
    pub async fn finish_login(
        &self,
        presented: PresentedCallback,
        login: BegunLogin,
        cookies: &impl Cookies,
        now: Timestamp,
    ) -> Result<CallbackOutcome, Fault> {
        let (state_hash, expires_at) = (login.state_hash, login.expires_at);
        let claimed = transact!(self.store, txn => {
            browser_logins::claim(txn, state_hash, expires_at, now).await
        })?;
        if claimed == Consumed::BySomeoneElse {
            return Ok(CallbackOutcome::Refused(CallbackRefusal::AlreadyAnswered));
        }
        let secrets = Some((login.nonce, login.code_verifier));
        let refused = |refusal| {
            tracing::info!(flow = "login", outcome = "refused", reason = ?refusal);
            let goal = login.goal.clone();
            Ok(CallbackOutcome::NotSignedIn { refusal, goal, cookies: Vec::new() })
        };
        let identity = match self.identify(presented, secrets).await {
            Ok(identity) => identity,
            Err(unidentified) => return refused(unidentified.refusal),
        };
        let return_to = match &login.goal {
            Goal::Admin(challenge) => return self.hand_over_admin(&identity, challenge).await,
            Goal::Place(return_to) => return_to,
        };
        if !self.lets_in(Told::by(&identity)) {
            return refused(AuthorizeRefusal::WorkEmailRequired);
        }
        let (user_id, session_cookie) = self.begin_session(&identity, cookies).await?;
        let domain = identity.profile.email.as_deref().and_then(email_domain::of_address);
        tracing::info!(flow = "login", outcome = "signed_in", subject = %user_id, domain);
        let location = return_to.as_str().to_owned();
        // Not who signed in here last: that lets earlier approvals stand in for the consent page,
        // and nobody was asked for one in this browser.
        Ok(CallbackOutcome::ToClient { location, cookies: vec![session_cookie] })
    }

    /// The end of a login that leads to the admin listener.
    async fn hand_over_admin(
        &self,
        identity: &Identity,
        challenge: &str,
    ) -> Result<CallbackOutcome, Fault> {
        if !self.administrators.include(Told::by(identity), &self.organizations) {
            let domain = identity.profile.email.as_deref().and_then(email_domain::of_address);
            tracing::warn!(flow = "admin", outcome = "refused", reason = "not listed", domain);
            return Ok(CallbackOutcome::NoAdministrator);
        }
        let now = self.clock.now();
        let person = self.people().prepare(Told::by(identity), now)?;
        let user_id = transact!(self.store, txn => person.write(txn, now).await)?;
        let location = self.with_admin_code(user_id, challenge);
        Ok(location.map_or(CallbackOutcome::NoAdministrator, |location| {
            CallbackOutcome::ToClient { location, cookies: Vec::new() }
        }))
    }

    /// Whether somebody passes the gate.
    pub fn lets_in(&self, told: Told<'_>) -> bool {
        !self.config.require_work_email || self.organizations.check_work_email(told).is_ok()
    }

    /// The one write: the person, and their session in place of whatever this browser held.
    async fn begin_session(
        &self,
        identity: &Identity,
        cookies: &impl Cookies,
    ) -> Result<(UserId, String), Fault> {
        // Read again: the provider may have taken its time, and the session's life begins now.
        let now = self.clock.now();
        let person = self.people().prepare(Told::by(identity), now)?;
        let before = self.session_value(cookies).map(|value| value.hash());
        let session = self.prepare_session(person.fresh_id, now);
        let PreparedSession { row, cookie } = session;
        let user_id = transact!(self.store, txn => {
            let user_id = person.write(txn, now).await?;
            let signed_in = SignedInPerson {
                user_id,
                is_new: user_id == person.fresh_id,
                occasion: row.id.uuid(),
                client_id: None,
                to: SignInTo::Browser,
                attempt: None,
            };
            self.queue_sign_in(txn, signed_in, now).await?;
            if let Some(before) = before {
                browser_sessions::delete(txn, before).await?;
            }
            let row = browser_sessions::NewSession { user_id, ..row };
            browser_sessions::insert(txn, row, now).await?;
            Ok(user_id)
        })?;
        self.sinks.wake();
        Ok((user_id, cookie))
    }

    fn browser_login_cookie(&self, state_hash: SecretHash, text: &[u8]) -> String {
        let max_age = self.config.authorization_request_ttl;
        let name = self.login_cookie_name(state_hash);
        self.sealed_cookie(&name, Purpose::BrowserLogin, text, max_age)
    }

    fn opened_browser_login(
        &self,
        cookies: &impl Cookies,
        state_hash: SecretHash,
    ) -> Option<Vec<u8>> {
        self.opened_cookie(cookies, &self.login_cookie_name(state_hash), Purpose::BrowserLogin)
    }
}
