//! The admin API: attempts to sign in, and why they came to nothing.

use std::sync::Arc;

use poem_openapi::param::{Path, Query};
use poem_openapi::{Enum, Object, OpenApi};

use crate::admin::Tag;
use crate::admin::answer::{Answer, List, Row};
use crate::admin::caller::AdminVisit;
use crate::admin::port::AdminPort;
use crate::admin::reads::Format;

/// How an attempt ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
pub enum AttemptOutcome {
    /// The token is in use.
    Finished,
    /// It may still go on.
    UnderWay,
    /// Somebody did not come back.
    Left,
    /// The person said no.
    Declined,
    /// This server or the provider said no.
    Refused,
    /// Something is broken or set up wrong.
    Failed,
}

/// An attempt to sign in.
#[derive(Clone, Debug, Object)]
pub struct Attempt {
    /// Its identifier: that of the authorization request, which log lines have too.
    pub id: String,
    /// What people are shown of it.
    pub reference: String,
    /// When it began.
    pub began_at: String,
    /// `finished`, `under_way`, `left`, `declined`, `refused` or `failed`.
    pub outcome: String,
    /// What became of it, in a word.
    pub cause: String,
    /// The same in a sentence.
    pub told: String,
    /// What else is known of that: a provider's error, two addresses without their queries.
    #[oai(skip_serializing_if_is_none)]
    pub detail: Option<String>,
    /// Which program asked. Of one that is not known, what may be told: nothing, or an origin.
    #[oai(skip_serializing_if_is_none)]
    pub client_id: Option<String>,
    /// What it called itself.
    #[oai(skip_serializing_if_is_none)]
    pub client_name: Option<String>,
    /// `registered`, `document` or `unknown`.
    #[oai(skip_serializing_if_is_none)]
    pub client_kind: Option<String>,
    /// Who signed in; nobody any more when they were erased.
    #[oai(skip_serializing_if_is_none)]
    pub person: Option<String>,
    /// Which grant it led to.
    #[oai(skip_serializing_if_is_none)]
    pub grant: Option<String>,
}

impl Row for Attempt {
    const NAME: &'static str = "attempts";
    const COLUMNS: &'static [&'static str] = &[
        "id",
        "reference",
        "began_at",
        "outcome",
        "cause",
        "told",
        "detail",
        "client_id",
        "client_name",
        "client_kind",
        "person",
        "grant",
    ];
}

/// A step of an attempt.
#[derive(Clone, Debug, Object)]
pub struct AttemptStep {
    /// When.
    pub at: String,
    /// How long after the first step, in milliseconds.
    pub after_ms: i64,
    /// Which, in a word.
    pub step: String,
    /// The same in a sentence.
    pub told: String,
    /// What else is known of it.
    #[oai(skip_serializing_if_is_none)]
    pub detail: Option<String>,
}

/// An attempt with its steps.
#[derive(Clone, Debug, Object)]
pub struct AttemptInFull {
    /// What became of it.
    pub attempt: Attempt,
    /// What to do; absent when there is nothing.
    #[oai(skip_serializing_if_is_none)]
    pub advice: Option<String>,
    /// Its steps, in the order of their times.
    pub steps: Vec<AttemptStep>,
}

/// Attempts.
pub struct AdminAttemptsApi<P>(pub Arc<P>);

/// Parameters are declared here so that the document shows them, as in the lists.
#[OpenApi(prefix_path = "/admin/api/v1", tag = "Tag::Admin")]
impl<P: AdminPort> AdminAttemptsApi<P> {
    /// List attempts to sign in.
    ///
    /// The newest first. Steps are a few seconds late. With `outcome` a part of the list may be
    /// short, or empty, and have a `next` all the same.
    #[oai(path = "/attempts", method = "get", operation_id = "admin_attempts")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the document")]
    async fn attempts(
        &self,
        visit: AdminVisit,
        /// That ended so.
        #[oai(name = "outcome")]
        _outcome: Query<Option<AttemptOutcome>>,
        /// With this reference.
        #[oai(name = "reference")]
        _reference: Query<Option<String>>,
        /// Of this program, by its `client_id`.
        #[oai(name = "client")]
        _client: Query<Option<String>>,
        #[oai(name = "limit", validator(minimum(value = "1"), maximum(value = "500")))]
        _limit: Query<Option<u64>>,
        #[oai(name = "after")] _after: Query<Option<String>>,
        #[oai(name = "format")] _format: Query<Option<Format>>,
    ) -> List<Attempt> {
        self.0.attempts(visit.0).await
    }

    /// Explain an attempt to sign in.
    ///
    /// By the reference that people are shown, with its steps, the cause and what to do.
    #[oai(path = "/attempts/:reference", method = "get", operation_id = "admin_attempt")]
    async fn attempt(&self, visit: AdminVisit, reference: Path<String>) -> Answer<AttemptInFull> {
        self.0.attempt(visit.0, reference.0).await
    }
}
