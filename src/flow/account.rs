//! `GET /account` and `POST /account/disconnect`: a person sees which programs they connected, and
//! ends what they want to end (OAuth 2.1 §7.9; MCP Security Best Practices, Per-client consent
//! storage).
//!
//! 1. Who is signed in with this browser; nobody else's grants are ever looked at.
//! 2. To disconnect: the form must be one we showed to this very session, sent by our own page.
//! 3. One write, in the order of the locks: what was agreed with the client is forgotten, what was
//!    begun on it is taken back, the grants are ended.
//! 4. This replica forgets at once how those grants stood; the others within 5 seconds.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::clock::Timestamp;
use crate::domain::audit::Actor;
use crate::domain::client::Client;
use crate::domain::metadata_document::publisher;
use crate::domain::refusal::AccountRefusal;
use crate::flow::browser::Cookies;
use crate::flow::browser_session::SignedIn;
use crate::flow::own_data::Sharing;
use crate::flow::{Fault, Gatehouse};
use crate::id::{GrantId, UserId};
use crate::secret::{base64url, constant_time_eq};
use crate::server_secret::Purpose;
use crate::store::consents::Withdrawn;
use crate::store::grants::{Ended, LivingGrant, RevocationReason};
use crate::store::{
    audit, authorization_codes, clients, consents, grants, transact, upstream_logins,
};

/// A program that a person connected.
pub struct Connection {
    /// What keeps it connected.
    pub grant: LivingGrant,
    /// What it calls itself; nobody has checked it.
    pub client_name: Option<String>,
    /// The host that vouches for it, when it published a document about itself.
    pub publisher: Option<String>,
}

/// What the account page shows.
pub enum Account<'a> {
    /// Nobody is signed in with this browser.
    SignedOut,
    /// A person's connections, the newest first.
    SignedIn(Box<Overview<'a>>),
}

/// A person's own page.
pub struct Overview<'a> {
    /// Who they are.
    pub signed_in: SignedIn,
    /// Ties the page's forms to this session.
    pub form: String,
    /// What they connected.
    pub connections: Vec<Connection>,
    /// Who is told of them.
    pub sharing: Sharing<'a>,
}

/// What the form brought.
pub struct PresentedDisconnect<'a> {
    /// What ties it to the session.
    pub form: &'a str,
    /// The grant, or `all`.
    pub grant: &'a str,
    /// Whether the browser says that the form came from another site.
    pub is_cross_site: bool,
}

/// How it ends.
pub enum Disconnect {
    /// These many were ended.
    Done {
        /// All, or one.
        ended: Ended,
        /// Cookies to change.
        cookies: Vec<String>,
    },
    /// Nobody is signed in with this browser.
    SignedOut,
    /// Not acted on.
    Refused(AccountRefusal),
}

impl Gatehouse {
    /// The page.
    pub async fn account(&self, cookies: &impl Cookies) -> Result<Account<'_>, Fault> {
        let now = self.clock.now();
        let Some(signed_in) = self.signed_in(cookies, now).await? else {
            return Ok(Account::SignedOut);
        };
        let connections = self.connections_of(signed_in.user_id, now).await?;
        let sharing = self.sharing_of(signed_in.user_id).await?;
        let form = self.form_of(&signed_in);
        Ok(Account::SignedIn(Box::new(Overview { signed_in, form, connections, sharing })))
    }

    /// What a person connected, the newest first.
    async fn connections_of(
        &self,
        user_id: UserId,
        now: Timestamp,
    ) -> Result<Vec<Connection>, Fault> {
        let db = self.store.read();
        let since = now.minus(self.config.access_token_ttl);
        let living = grants::living_of(db, user_id, since, now).await?;
        let client_ids: Vec<_> = living.iter().map(|grant| grant.client_id.clone()).collect();
        let clients = clients::find_all(db, &client_ids).await?;
        let connection = |grant: LivingGrant| {
            let is_its = |client: &&Client| client.client_id == grant.client_id;
            let client = clients.iter().find(is_its);
            Connection {
                client_name: client.and_then(|client| client.metadata.client_name.clone()),
                publisher: publisher(&grant.client_id),
                grant,
            }
        };
        Ok(living.into_iter().map(connection).collect())
    }

    /// The exchange.
    pub async fn disconnect(
        &self,
        presented: PresentedDisconnect<'_>,
        cookies: &impl Cookies,
    ) -> Result<Disconnect, Fault> {
        let now = self.clock.now();
        let Some(signed_in) = self.signed_in(cookies, now).await? else {
            return Ok(Disconnect::SignedOut);
        };
        if presented.is_cross_site || !self.is_form_of(&signed_in, presented.form) {
            return Ok(Disconnect::Refused(AccountRefusal::ForeignForm));
        }
        let unknown = Ok(Disconnect::Refused(AccountRefusal::UnknownConnection));
        let user_id = signed_in.user_id;
        let ended = if presented.grant == "all" {
            self.disconnect_from(user_id, Ended::All, Withdrawn::Everything, now).await?;
            Ended::All
        } else {
            let Some(id) = GrantId::parse(presented.grant) else { return unknown };
            // Another person's grant is as unknown as one that never was.
            let standing = grants::standing(self.store.read(), id).await?;
            let Some(own) = standing.filter(|it| it.user_id == user_id) else { return unknown };
            let withdrawn = Withdrawn::Client(&own.client_id);
            self.disconnect_from(user_id, Ended::One(id), withdrawn, now).await?;
            Ended::One(id)
        };
        Ok(Disconnect::Done { ended, cookies: signed_in.cookie.into_iter().collect() })
    }

    async fn disconnect_from(
        &self,
        user_id: UserId,
        ended: Ended,
        withdrawn: Withdrawn<'_>,
        now: Timestamp,
    ) -> Result<(), Fault> {
        let by = (Actor::Person(user_id), RevocationReason::ByPerson);
        for grant_id in self.withdraw(user_id, ended, withdrawn, by, now).await? {
            tracing::info!(
                flow = "account", outcome = "disconnected", %grant_id, subject = %user_id,
            );
        }
        Ok(())
    }

    /// The one write, and what this replica remembers; the grants that it ended.
    pub async fn withdraw(
        &self,
        user_id: UserId,
        ended: Ended,
        withdrawn: Withdrawn<'_>,
        (by, reason): (Actor<'_>, RevocationReason),
        now: Timestamp,
    ) -> Result<Vec<GrantId>, Fault> {
        let grants = transact!(self.store, txn => {
            let by = audit::hold_actor(txn, by).await?;
            consents::delete_of_person(txn, user_id, withdrawn).await?;
            upstream_logins::delete_remembered(txn, user_id, withdrawn).await?;
            authorization_codes::delete_unused_of_person(txn, user_id, withdrawn).await?;
            let grants = grants::revoke_of_person(txn, user_id, ended, reason, now).await?;
            let told = (by, user_id, reason);
            audit::write(txn, audit::ended(&*self.entropy, &grants, told, now)).await?;
            Ok(grants)
        })?;
        self.metrics.sign_in.revoked(reason.name(), grants.len());
        let ids = grants.into_iter().map(|grant| grant.id);
        Ok(ids.inspect(|grant_id| self.standings.forget(*grant_id)).collect())
    }

    /// What ties a form to the session it is shown in. Nobody else can make one.
    pub fn form_of(&self, signed_in: &SignedIn) -> String {
        let bytes = signed_in.id.uuid().into_bytes();
        base64url(&self.config.secret.seal(&*self.entropy, Purpose::SessionForm, &bytes))
    }

    /// Whether a form was shown to this session.
    pub fn is_form_of(&self, signed_in: &SignedIn, presented_form: &str) -> bool {
        let sealed = URL_SAFE_NO_PAD.decode(presented_form).ok();
        let opened = sealed.and_then(|it| self.config.secret.unseal(Purpose::SessionForm, &it));
        opened.is_some_and(|opened| constant_time_eq(&opened, signed_in.id.uuid().as_bytes()))
    }
}
