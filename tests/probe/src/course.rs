//! The course of a probe: what is done, in the order that needs the fewest sign-ins.
//!
//! 1. Sign in, and let everybody exchange the code at once. Its session is not used again: a
//!    server may end it for the replays (RFC 6749 §4.1.2).
//! 2. Sign in twice more: whom something is stolen from, and a bystander.
//! 3. Refresh, throw the answer away, refresh with the same token again, then with what came.
//! 4. Present the first token once more: it is old now. See what ended.
//! 5. Refresh the bystander. It is alive wherever the blast is small, and now of no other use.
//! 6. Let everybody present its refresh token at once. This comes last as a strict server ends
//!    the session for it.

use std::time::Duration;

use tokio::time::Instant;
use url::Url;

use crate::client::{Answer, Form, Introduction, PublicClient};
use crate::discovery::{Target, discover};
use crate::door::{Admission, Door};
use crate::error::ProbeError;
use crate::http::Http;
use crate::observation::{Access, LostAnswer, Names, Observations, RefreshRace, Seen, Theft};
use crate::person::{Person, Purpose};
use crate::properties::judge;
use crate::report::Report;
use crate::secret::Secret;
use crate::sign_in::{Loopback, sign_in};

/// What to probe, and how.
#[derive(Clone, Debug)]
pub struct Settings {
    /// An issuer, or a protected resource such as an MCP server.
    pub address: Url,
    /// How many present the same thing at once.
    pub callers: usize,
    /// The scope to ask for instead of the one that the metadata suggest.
    pub scope: Option<String>,
    /// The name to register with.
    pub client_name: String,
    /// How long each sign-in and each request may take.
    pub timeout: Duration,
    /// How soon after a theft the newest access token must be refused.
    pub revocation_bound: Duration,
}

/// A sign-in that is alive, as far as its client knows.
#[derive(Clone)]
struct Session {
    access_token: Secret,
    refresh_token: Secret,
}

/// A token request, and what it brought.
struct Asked {
    seen: Seen,
    session: Option<Session>,
}

struct Course<'a, P> {
    settings: &'a Settings,
    person: &'a P,
    http: Http,
    door: Option<Door>,
    client: PublicClient,
    loopback: Loopback,
    names: Names,
}

/// Probes the server. An error is what kept the probe from being carried out.
pub async fn run(settings: &Settings, person: &impl Person) -> Result<Report, ProbeError> {
    let http = Http::to(&settings.address, settings.timeout)?;
    let target = discover(&http, &settings.address).await?;
    let loopback = Loopback::start().await?;
    let introduction = Introduction {
        client_name: &settings.client_name,
        redirect_uri: loopback.redirect_uri(),
        scope: settings.scope.as_deref().or(target.scope.as_deref()),
    };
    let client = PublicClient::register(http.clone(), &target, introduction).await?;
    let Target { server, resource, .. } = target;
    let door = resource.as_ref().and_then(|resource| resource.door.clone());
    let names = Names::default();
    let mut course = Course { settings, person, http, door, client, loopback, names };
    let observed = course.observe().await?;
    Ok(Report {
        address: settings.address.to_string(),
        issuer: server.issuer,
        resource: resource.map(|resource| resource.identifier),
        callers: settings.callers,
        findings: judge(&observed),
    })
}

impl<P: Person> Course<'_, P> {
    async fn observe(&mut self) -> Result<Observations, ProbeError> {
        let code_race = self.race_for_a_code().await?;
        let victim = self.session(Purpose::Theft).await?;
        let bystander = self.session(Purpose::Bystander).await?;
        let admitted = self.admitted(&victim.access_token).await;
        let (lost_answer, newest) = self.lose_an_answer(&victim).await?;
        let theft = self.steal(&victim, &newest, admitted).await?;
        let bystander = self.refresh(&bystander).await?;
        let racer = match bystander.session {
            Some(session) => session,
            None => self.session(Purpose::RefreshRace).await?,
        };
        let refresh_race = self.race_for_a_successor(&racer).await?;
        Ok(Observations { code_race, lost_answer, theft, bystander: bystander.seen, refresh_race })
    }

    async fn race_for_a_code(&mut self) -> Result<Vec<Seen>, ProbeError> {
        let form = self.code(Purpose::CodeRace).await?;
        let answers = self.client.ask_at_once(&form, self.settings.callers).await?;
        answers.into_iter().map(|answer| Ok(self.asked(answer, None)?.seen)).collect()
    }

    async fn lose_an_answer(
        &mut self,
        victim: &Session,
    ) -> Result<(LostAnswer, Session), ProbeError> {
        let first = self.refresh(victim).await?;
        let repeated = self.refresh(victim).await?;
        let newest = repeated.session.or(first.session).unwrap_or_else(|| victim.clone());
        let continued = self.refresh(&newest).await?;
        let newest = continued.session.unwrap_or(newest);
        let lost_answer = LostAnswer {
            presented: self.names.of(&victim.refresh_token),
            first: first.seen,
            repeated: repeated.seen,
            continued: continued.seen,
        };
        Ok((lost_answer, newest))
    }

    async fn steal(
        &mut self,
        victim: &Session,
        newest: &Session,
        admitted: Admission,
    ) -> Result<Theft, ProbeError> {
        let replayed = self.refresh(victim).await?.seen;
        let noticed = Instant::now();
        let afterwards = self.refresh(newest).await?.seen;
        let mut theft = Theft {
            presented: self.names.of(&victim.refresh_token),
            newest: self.names.of(&newest.refresh_token),
            replayed,
            afterwards,
            access: Access::NotAsked,
        };
        // A resource that turned a fresh token away would prove nothing by it now.
        if let Some(door) = &self.door
            && theft.was_noticed()
            && admitted == Admission::Admitted
        {
            let bound = self.settings.revocation_bound;
            theft.access =
                door.until_refused(&self.http, &newest.access_token, noticed, bound).await;
        }
        Ok(theft)
    }

    async fn race_for_a_successor(&mut self, racer: &Session) -> Result<RefreshRace, ProbeError> {
        let form = self.client.refresh(&racer.refresh_token);
        let mut answers = Vec::new();
        let mut winner = None;
        for answer in self.client.ask_at_once(&form, self.settings.callers).await? {
            let asked = self.asked(answer, Some(racer))?;
            winner = winner.or(asked.session);
            answers.push(asked.seen);
        }
        let afterwards = match winner {
            Some(session) => Some(self.refresh(&session).await?.seen),
            None => None,
        };
        Ok(RefreshRace { presented: self.names.of(&racer.refresh_token), answers, afterwards })
    }

    async fn admitted(&self, access_token: &Secret) -> Admission {
        match &self.door {
            Some(door) => door.admits(&self.http, access_token).await,
            None => Admission::Unclear,
        }
    }

    async fn code(&mut self, purpose: Purpose) -> Result<Form, ProbeError> {
        let (client, person) = (&self.client, self.person);
        let timeout = self.settings.timeout;
        let code = sign_in(client, &mut self.loopback, person, purpose, timeout).await?;
        Ok(self.client.exchange(&code))
    }

    async fn session(&mut self, purpose: Purpose) -> Result<Session, ProbeError> {
        let form = self.code(purpose).await?;
        let answer = self.client.ask(&form).await;
        let asked = self.asked(answer, None)?;
        asked.session.ok_or_else(|| ProbeError::NotExchanged(asked.seen.to_string()))
    }

    async fn refresh(&mut self, session: &Session) -> Result<Asked, ProbeError> {
        let answer = self.client.ask(&self.client.refresh(&session.refresh_token)).await;
        self.asked(answer, Some(session))
    }

    /// Names what came. `presented` is the session that was refreshed.
    fn asked(&mut self, answer: Answer, presented: Option<&Session>) -> Result<Asked, ProbeError> {
        let tokens = match answer {
            Answer::Granted(tokens) => tokens,
            Answer::Refused(how) => return Ok(Asked { seen: Seen::Refused(how), session: None }),
            Answer::Unclear(how) => return Ok(Asked { seen: Seen::Unclear(how), session: None }),
        };
        // A refresh that brings no refresh token keeps the old one (RFC 6749 §6).
        let kept = presented.map(|session| session.refresh_token.clone());
        let refresh_token = tokens.refresh_token.or(kept).ok_or(ProbeError::NoRefreshToken)?;
        let seen = Seen::Granted(self.names.of(&refresh_token));
        let session = Session { access_token: tokens.access_token, refresh_token };
        Ok(Asked { seen, session: Some(session) })
    }
}
