//! The admin API: what a person may ask of an operator, and who would break if everybody had to
//! sign in.

use std::sync::Arc;

use poem_openapi::param::{Header, Path, Query};
use poem_openapi::types::Any;
use poem_openapi::{Object, OpenApi};
use serde_json::Value;

use crate::admin::Tag;
use crate::admin::answer::Answer;
use crate::admin::caller::AdminVisit;
use crate::admin::port::AdminPort;

/// Something that somebody was told of a person.
#[derive(Clone, Debug, Object)]
pub struct Disclosure {
    /// Who was told: `sink:` or `remote:` and a name, or `feedback`.
    pub receiver: String,
    /// On what occasion, in one word.
    pub event: String,
    /// The names of what was told; values are not kept.
    pub fields: Vec<String>,
    /// Why, as the settings said then.
    pub purpose: String,
    /// When.
    pub disclosed_at: String,
}

/// A sink that a person objects to.
#[derive(Clone, Debug, Object)]
pub struct Objection {
    /// The sink.
    pub receiver: String,
    /// Since when.
    pub since: String,
}

/// What was erased, and who is told.
#[derive(Clone, Debug, Object)]
pub struct Erased {
    /// The grants that are gone.
    pub grants: Vec<String>,
    /// Sinks that are told to forget the person, by their names.
    pub sinks: Vec<String>,
    /// Others who were told of the person and cannot be told by this server: ask whoever runs them.
    pub others: Vec<String>,
}

/// Who would break if those without a token had to sign in.
#[derive(Clone, Debug, Object)]
pub struct Enforcement {
    /// Who must sign in now; everybody where `auth` is `enforce`, nobody where it is `open`.
    pub in_force: String,
    /// Whether that is suspended because too few came back.
    pub halted: bool,
    /// Callers who were asked to sign in during the last hour.
    pub challenged: i64,
    /// Of these, those who came back signed in so far.
    pub returned: i64,
    /// What was replayed.
    pub replayed: String,
    /// The first day, in UTC.
    pub from: String,
    /// The last day, in UTC.
    pub to: String,
    /// What came, by client, network, and tool or request; the first line is all of it.
    pub lines: Vec<EnforcementLine>,
    /// What to do next.
    pub advice: Vec<String>,
}

/// What came without a token.
#[derive(Clone, Debug, Object)]
pub struct EnforcementLine {
    /// `all`, `client`, `network` or `tool`.
    pub kind: String,
    /// Which one; empty for all.
    pub key: String,
    /// Different callers.
    pub callers: i64,
    /// Requests.
    pub calls: i64,
    /// Callers who would have been asked to sign in.
    pub asked_callers: i64,
    /// Requests that would have been.
    pub asked_calls: i64,
    /// Of a client: whether anybody signs in with it.
    #[oai(skip_serializing_if_is_none)]
    pub signs_in: Option<String>,
}

/// Whether something was done.
#[derive(Clone, Debug, Object)]
pub struct Resumed {
    /// Whether this call ended a halt; there may have been none.
    pub resumed: bool,
}

/// What was ended.
#[derive(Clone, Debug, Object)]
pub struct Revoked {
    /// The grants that this call ended; those that had ended before are not among them.
    pub grants: Vec<String>,
}

/// What was queued again.
#[derive(Clone, Debug, Object)]
pub struct Requeued {
    /// How many deliveries.
    pub deliveries: u64,
}

/// What is done for a person, and about those who do not sign in.
pub struct AdminRightsApi<P>(pub Arc<P>);

/// An export and an erasure need the scope `write`: both are about all there is of somebody.
#[OpenApi(prefix_path = "/admin/api/v1", tag = "Tag::Admin")]
impl<P: AdminPort> AdminRightsApi<P> {
    /// Export a person.
    ///
    /// Everything that is kept of them, opened, as they get it on the account page.
    #[oai(path = "/people/:id/export", method = "post", operation_id = "admin_export_person")]
    async fn export_person(
        &self,
        visit: AdminVisit,
        id: Path<String>,
        #[oai(name = "X-Form-Token")] _form: Header<Option<String>>,
    ) -> Answer<Any<Value>> {
        self.0.export_person(visit.0, id.0).await
    }

    /// Erase a person.
    ///
    /// With everything that belongs to them, in one write. Access tokens end within 5 seconds, and
    /// each sink that was told of the person is told to forget them.
    #[oai(path = "/people/:id/erase", method = "post", operation_id = "admin_erase_person")]
    async fn erase_person(
        &self,
        visit: AdminVisit,
        id: Path<String>,
        #[oai(name = "X-Form-Token")] _form: Header<Option<String>>,
    ) -> Answer<Erased> {
        self.0.erase_person(visit.0, id.0).await
    }

    /// Show who would break.
    ///
    /// Replays what came without a token on the last days against `auth` = `enforce`, or against a
    /// share of callers.
    #[oai(path = "/enforcement", method = "get", operation_id = "admin_enforcement")]
    async fn enforcement(
        &self,
        visit: AdminVisit,
        /// How many days, today included; 7 unless said.
        #[oai(name = "days", validator(minimum(value = "1"), maximum(value = "366")))]
        _days: Query<Option<u32>>,
        /// The percentage of callers to ask, with two digits at most; all unless said.
        #[oai(name = "share")]
        _share: Query<Option<String>>,
    ) -> Answer<Enforcement> {
        self.0.enforcement(visit.0).await
    }

    /// End a halt.
    ///
    /// All replicas know within 10 seconds.
    #[oai(path = "/enforcement/resume", method = "post", operation_id = "admin_resume")]
    async fn resume(
        &self,
        visit: AdminVisit,
        #[oai(name = "X-Form-Token")] _form: Header<Option<String>>,
    ) -> Answer<Resumed> {
        self.0.resume(visit.0).await
    }
}
