//! What is told of attempts to sign in.
//!
//! 1. An attempt is called as its authorization request, whose identifier is drawn before anything
//!    of the request is looked at; people are shown the end of it (`domain::audit::reference_of`).
//! 2. Each exchange says here which step it was. That is kept in memory under a lock that nobody
//!    holds for longer: no request waits for it, and the token endpoint and `/mcp` have no
//!    statement more. Even where a step has a transaction of its own it is not written there: a
//!    refused authorization request has none, and a decision must not fail for the sake of a note.
//! 3. A task writes what has come together (`keeping`), as one addition for each attempt.
//!
//! What waits is bounded; beyond it steps are left out, and the log says how many. A process that
//! is killed loses those of the last seconds.
//!
//! Never here: tokens, codes, verifiers, states, addresses of people or networks.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use quick_cache::sync::Cache;
use tokio::sync::Notify;
use uuid::Uuid;

use crate::domain::attempt::redirects::{difference, told_client_id};
use crate::domain::attempt::refusals::of_exchange;
use crate::domain::attempt::{Step, Taken};
use crate::domain::authorization_request::{AuthorizeParameters, Rejected};
use crate::domain::client::Client;
use crate::domain::metadata_document::DocumentUrl;
use crate::domain::refusal::{AccessRefusal, AuthorizeRefusal, TokenRefusal};
use crate::flow::attempts::keeping::Unwritten;
use crate::flow::authorize::Authorize;
use crate::flow::callback::CallbackOutcome;
use crate::flow::consent::ConsentOutcome;
use crate::flow::{Fault, Gatehouse};
use crate::id::{AuthorizationRequestId, GrantId, UserId};
use crate::metrics::reasons::Reason as _;
use crate::secret::SecretHash;
use crate::store::attempts::{Addition, Program, Use};

pub mod keeping;

/// The most attempts whose steps wait.
const WAITING_MAX: usize = 5_000;

/// What one attempt may wait with, in bytes.
const STEPS_BYTES_MAX: usize = 4_000;

/// So many attempts are written before it is time.
const IS_ENOUGH: usize = 1_000;

/// The most steps that wait of which only the code is known: anybody can make codes up.
const CODES_MAX: usize = 500;

/// The most grants that are known to have been told of.
const TOLD_MAX: usize = 20_000;

/// What is not written yet.
pub struct Attempts {
    waiting: Mutex<Waiting>,
    is_enough: Notify,
    /// Grants of which it was told here that they were used, and such that were refused.
    used: Cache<GrantId, ()>,
    refused: Cache<GrantId, ()>,
    /// Held by whoever writes.
    unwritten: tokio::sync::Mutex<Unwritten>,
}

#[derive(Default)]
struct Waiting {
    additions: BTreeMap<Uuid, Addition>,
    uses: VecDeque<Use>,
    /// Steps of which only the code is known.
    of_codes: VecDeque<(SecretHash, String)>,
    left_out: u64,
}

impl Default for Attempts {
    fn default() -> Self {
        Self {
            waiting: Mutex::default(),
            is_enough: Notify::new(),
            used: Cache::new(TOLD_MAX),
            refused: Cache::new(TOLD_MAX),
            unwritten: tokio::sync::Mutex::default(),
        }
    }
}

impl Attempts {
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        // Every addition is whole whatever became of the last holder.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, attempt: AuthorizationRequestId, change: impl FnOnce(&mut Addition)) {
        let mut waiting = self.waiting();
        let Waiting { additions, left_out, .. } = &mut *waiting;
        let is_full = additions.len() >= WAITING_MAX && !additions.contains_key(&attempt.uuid());
        if is_full {
            *left_out += 1;
            return;
        }
        let addition = additions.entry(attempt.uuid()).or_default();
        if addition.steps.len() < STEPS_BYTES_MAX {
            change(addition);
        } else {
            *left_out += 1;
        }
        let is_enough = additions.len() == IS_ENOUGH;
        drop(waiting);
        if is_enough {
            self.is_enough.notify_one();
        }
    }

    fn add_of_code(&self, code_hash: SecretHash, line: String) {
        let mut waiting = self.waiting();
        if waiting.of_codes.len() < CODES_MAX {
            waiting.of_codes.push_back((code_hash, line));
        } else {
            waiting.left_out += 1;
        }
    }

    fn add_use(&self, it: Use) {
        let mut waiting = self.waiting();
        if waiting.uses.len() < WAITING_MAX {
            waiting.uses.push_back(it);
        } else {
            waiting.left_out += 1;
        }
    }
}

impl Gatehouse {
    /// An attempt begins: what it is called.
    pub fn begin_attempt(&self) -> AuthorizationRequestId {
        let attempt = AuthorizationRequestId::generate(&*self.entropy, self.clock.now());
        self.note_step(attempt, Step::Arrived, None);
        attempt
    }

    fn line(&self, step: Step, detail: Option<String>) -> String {
        Taken { at: self.clock.now(), step, detail }.line()
    }

    /// A step was taken.
    pub fn note_step(&self, attempt: AuthorizationRequestId, step: Step, detail: Option<String>) {
        let line = self.line(step, detail);
        self.attempts.add(attempt, |addition| addition.steps.push_str(&line));
    }

    /// The program is known.
    pub fn note_program(&self, attempt: AuthorizationRequestId, client: &Client) {
        let is_document = DocumentUrl::is_meant_by(&client.client_id);
        let program = Program {
            client_id: Some(client.client_id.clone()),
            client_name: client.metadata.client_name.clone(),
            client_kind: Some(if is_document { "document" } else { "registered" }),
        };
        self.attempts.add(attempt, |addition| addition.program = program);
    }

    /// Nobody knows the program.
    pub fn note_stranger(&self, attempt: AuthorizationRequestId, client_id: &str) {
        let client_id = told_client_id(client_id);
        let program = Program { client_id, client_name: None, client_kind: Some("unknown") };
        self.attempts.add(attempt, |addition| addition.program = program);
    }

    /// A redirect URI was refused: where it differs is known only where both are.
    pub fn note_rejected(
        &self,
        attempt: AuthorizationRequestId,
        rejected: &Rejected,
        (parameters, client): (&AuthorizeParameters, &Client),
    ) {
        let presented = parameters.redirect_uri();
        if let (Rejected::Page(AuthorizeRefusal::UnregisteredRedirectUri), Some(presented)) =
            (rejected, presented)
        {
            let (step, told) = difference(presented, &client.metadata.redirect_uris);
            self.note_step(attempt, step, Some(told));
        }
    }

    /// `GET /oauth/authorize`
    pub fn note_authorize(
        &self,
        attempt: AuthorizationRequestId,
        outcome: &Result<Authorize, Fault>,
    ) {
        match outcome {
            Ok(Authorize::Ask(_)) => self.note_step(attempt, Step::Asked, None),
            Ok(Authorize::ToProvider(_)) => {
                self.note_step(attempt, Step::Remembered, None);
                self.note_step(attempt, Step::SentToProvider, None);
            }
            // Told by `note_rejected`.
            Ok(Authorize::Rejected(Rejected::Page(AuthorizeRefusal::UnregisteredRedirectUri))) => {}
            Ok(Authorize::Rejected(
                Rejected::Page(refusal) | Rejected::Redirect { refusal, .. },
            )) => self.note_step(attempt, (*refusal).into(), None),
            Ok(Authorize::Limited(_)) => self.note_step(attempt, Step::Limited, None),
            Err(fault) => self.note_fault(attempt, fault),
        }
    }

    /// `POST /oauth/consent`
    pub fn note_consent(
        &self,
        attempt: AuthorizationRequestId,
        outcome: &Result<ConsentOutcome, Fault>,
    ) {
        match outcome {
            Ok(ConsentOutcome::ToProvider(_)) => {
                self.note_step(attempt, Step::Approved, None);
                self.note_step(attempt, Step::SentToProvider, None);
            }
            Ok(ConsentOutcome::Denied { .. }) => self.note_step(attempt, Step::Declined, None),
            Ok(ConsentOutcome::Refused(refusal)) => {
                self.note_step(attempt, (*refusal).into(), None);
            }
            Err(fault) => self.note_fault(attempt, fault),
        }
    }

    /// `GET /mcp/callback`. What the provider brought is told where it is known.
    pub fn note_callback(
        &self,
        attempt: AuthorizationRequestId,
        outcome: &Result<CallbackOutcome, Fault>,
    ) {
        match outcome {
            Ok(
                CallbackOutcome::ToClient { .. }
                | CallbackOutcome::NotSignedIn { .. }
                | CallbackOutcome::NoAdministrator,
            ) => {}
            Ok(CallbackOutcome::Refused(refusal)) => {
                self.note_step(attempt, (*refusal).into(), None);
            }
            Err(fault) => self.note_fault(attempt, fault),
        }
    }

    /// Something broke.
    pub fn note_fault(&self, attempt: AuthorizationRequestId, fault: &Fault) {
        match fault {
            Fault::Upstream(_) => self.note_step(attempt, Step::ProviderUnreachable, None),
            fault => self.note_step(attempt, Step::Broken, Some(fault.word().to_owned())),
        }
    }

    /// The browser went to the program with a code.
    pub fn note_code(&self, attempt: AuthorizationRequestId, user_id: UserId) {
        let line = self.line(Step::CodeIssued, None);
        self.attempts.add(attempt, |addition| {
            addition.user_id = Some(user_id);
            addition.steps.push_str(&line);
        });
    }

    /// The code became a grant.
    pub fn note_token(&self, attempt: AuthorizationRequestId, grant_id: GrantId) {
        let line = self.line(Step::TokenIssued, None);
        self.attempts.add(attempt, |addition| {
            addition.grant_id = Some(grant_id);
            addition.steps.push_str(&line);
        });
    }

    /// The code was not exchanged.
    pub fn note_exchange_refused(&self, attempt: AuthorizationRequestId, refusal: TokenRefusal) {
        let (step, detail) = of_exchange(refusal);
        self.note_step(attempt, step, detail.map(str::to_owned));
    }

    /// A code came in a request that was refused before it was looked up; whose it is, is looked up
    /// when it is written.
    pub fn note_code_refused(&self, code_hash: SecretHash, refusal: TokenRefusal) {
        let (step, detail) = of_exchange(refusal);
        let line = self.line(step, detail.map(str::to_owned));
        self.attempts.add_of_code(code_hash, line);
    }

    /// A grant was let in at `/mcp`; told once by each process, and written once.
    pub fn note_used(&self, grant_id: GrantId) {
        // Looked at first, which is all that most calls do.
        if self.attempts.used.peek(&grant_id).is_none() {
            self.attempts.used.insert(grant_id, ());
            let (used_at, step) = (Some(self.clock.now()), self.line(Step::Used, None));
            self.attempts.add_use(Use { grant_id, used_at, step });
        }
    }

    /// A grant was refused at `/mcp`; of interest as long as it was not let in.
    pub fn note_use_refused(&self, grant_id: GrantId, refusal: AccessRefusal) {
        let told = [&self.attempts.used, &self.attempts.refused];
        if told.iter().all(|told| told.peek(&grant_id).is_none()) {
            self.attempts.refused.insert(grant_id, ());
            let step = self.line(Step::UseRefused, Some(refusal.word().to_owned()));
            self.attempts.add_use(Use { grant_id, used_at: None, step });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Secret;

    fn id(number: u128) -> AuthorizationRequestId {
        AuthorizationRequestId::from_uuid(Uuid::from_u128(number))
    }

    #[test]
    fn what_waits_is_bounded_and_what_is_left_out_is_counted() {
        let attempts = Attempts::default();
        let most = WAITING_MAX as u128;
        for number in 0..most + 7 {
            attempts.add(id(number), |addition| addition.steps.push_str("1 arrived \n"));
        }
        // Who has a place keeps it.
        attempts.add(id(0), |addition| addition.steps.push_str("2 consent_shown \n"));
        let waiting = attempts.waiting();
        assert_eq!((waiting.additions.len(), waiting.left_out), (WAITING_MAX, 7));
        assert_eq!(waiting.additions[&id(0).uuid()].steps.lines().count(), 2);
    }

    #[test]
    fn uses_and_made_up_codes_are_bounded_too() {
        let attempts = Attempts::default();
        let code_hash = Secret::presented("made up".to_owned()).hash();
        let grant_id = GrantId::from_uuid(Uuid::nil());
        for _ in 0..CODES_MAX + 3 {
            attempts.add_of_code(code_hash, String::new());
        }
        for _ in 0..WAITING_MAX + 4 {
            attempts.add_use(Use { grant_id, used_at: None, step: String::new() });
        }
        let waiting = attempts.waiting();
        assert_eq!((waiting.of_codes.len(), waiting.uses.len()), (CODES_MAX, WAITING_MAX));
        assert_eq!(waiting.left_out, 7);
    }

    #[test]
    fn one_attempt_waits_with_so_many_steps() {
        let attempts = Attempts::default();
        for _ in 0..1_000 {
            attempts.add(id(1), |addition| addition.steps.push_str("1 decided_twice \n"));
        }
        let waiting = attempts.waiting();
        assert!(waiting.additions[&id(1).uuid()].steps.len() <= STEPS_BYTES_MAX + 20);
        assert!(waiting.left_out > 700);
    }
}
