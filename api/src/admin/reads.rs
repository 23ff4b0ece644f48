//! The admin API: what there is, and the few things that are done to it.

use std::sync::Arc;

use poem_openapi::param::{Header, Path, Query};
use poem_openapi::{Enum, Object, OpenApi};
use serde::Deserialize;

use crate::admin::Tag;
use crate::admin::answer::{Answer, List};
use crate::admin::caller::AdminVisit;
use crate::admin::port::AdminPort;
use crate::admin::rights::{Requeued, Revoked};
use crate::admin::rows::{
    Audit, Client, Delivery, Feedback, Grant, Me, Organization, Person, PersonInFull, Sink,
};
use crate::form::JsonOrFault;

/// How a program introduced itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
pub enum ClientKind {
    /// It registered (RFC 7591).
    Registered,
    /// By a metadata document.
    Document,
}

/// How far a delivery has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
pub enum DeliveryState {
    /// On its way.
    Waiting,
    /// There.
    Delivered,
    /// Given up.
    Failed,
}

/// In which form a list is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
pub enum Format {
    /// As JSON.
    Json,
    /// As comma-separated values; so does `Accept: text/csv`.
    Csv,
}

/// What is told only on request, of people.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
pub enum WithEmail {
    /// Addresses and names.
    Email,
}

/// What is told only on request, of feedback.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
pub enum WithText {
    /// What people wrote.
    Text,
}

/// Whom to look for. In a body, since addresses do not belong in URLs.
#[derive(Object, Deserialize)]
pub struct PeopleSearch {
    /// Their address, in any spelling.
    pub email: String,
}

/// Lists and single things.
pub struct AdminReadApi<P>(pub Arc<P>);

/// Parameters are declared here so that the document shows them. The service reads them from the
/// query itself: a repeated or unknown one must be refused by its name and not passed over.
///
/// Every list takes `limit`, up to 500, and `after`, the `next` of the page before. What is added
/// while somebody pages through a list neither moves nor repeats a row.
#[OpenApi(prefix_path = "/admin/api/v1", tag = "Tag::Admin")]
impl<P: AdminPort> AdminReadApi<P> {
    /// Ask who I am.
    #[oai(path = "/me", method = "get", operation_id = "admin_me")]
    async fn me(&self, visit: AdminVisit) -> Answer<Me> {
        self.0.me(visit.0).await
    }

    /// List programs.
    ///
    /// The newest first.
    #[oai(path = "/clients", method = "get", operation_id = "admin_clients")]
    async fn clients(
        &self,
        visit: AdminVisit,
        /// How they introduced themselves.
        #[oai(name = "kind")]
        _kind: Query<Option<ClientKind>>,
        #[oai(name = "limit", validator(minimum(value = "1"), maximum(value = "500")))]
        _limit: Query<Option<u64>>,
        #[oai(name = "after")] _after: Query<Option<String>>,
        #[oai(name = "format")] _format: Query<Option<Format>>,
    ) -> List<Client> {
        self.0.clients(visit.0).await
    }

    /// Show a program.
    #[oai(path = "/clients/:id", method = "get", operation_id = "admin_client")]
    async fn client(&self, visit: AdminVisit, id: Path<String>) -> Answer<Client> {
        self.0.client(visit.0, id.0).await
    }

    /// List grants.
    ///
    /// The newest first. Those that ended are deleted after a while.
    #[oai(path = "/grants", method = "get", operation_id = "admin_grants")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the document")]
    async fn grants(
        &self,
        visit: AdminVisit,
        /// Of this person.
        #[oai(name = "person")]
        _person: Query<Option<String>>,
        /// With this program, by its `client_id`.
        #[oai(name = "client")]
        _client: Query<Option<String>>,
        /// Those that still work, or those that do not.
        #[oai(name = "active")]
        _active: Query<Option<bool>>,
        #[oai(name = "limit", validator(minimum(value = "1"), maximum(value = "500")))]
        _limit: Query<Option<u64>>,
        #[oai(name = "after")] _after: Query<Option<String>>,
        #[oai(name = "format")] _format: Query<Option<Format>>,
    ) -> List<Grant> {
        self.0.grants(visit.0).await
    }

    /// End a grant.
    ///
    /// Refresh tokens end at once, access tokens within 5 seconds.
    #[oai(path = "/grants/:id/revoke", method = "post", operation_id = "admin_revoke_grant")]
    async fn revoke_grant(
        &self,
        visit: AdminVisit,
        id: Path<String>,
        #[oai(name = "X-Form-Token")] _form: Header<Option<String>>,
    ) -> Answer<Revoked> {
        self.0.revoke_grant(visit.0, id.0).await
    }

    /// List people.
    ///
    /// In the order they first signed in.
    #[oai(path = "/people", method = "get", operation_id = "admin_people")]
    async fn people(
        &self,
        visit: AdminVisit,
        /// Who belong to what is called so: an identifier, a key, a domain or a name.
        #[oai(name = "organization")]
        _organization: Query<Option<String>>,
        /// Tell addresses and names, too.
        #[oai(name = "include")]
        _include: Query<Option<WithEmail>>,
        #[oai(name = "limit", validator(minimum(value = "1"), maximum(value = "500")))]
        _limit: Query<Option<u64>>,
        #[oai(name = "after")] _after: Query<Option<String>>,
        #[oai(name = "format")] _format: Query<Option<Format>>,
    ) -> List<Person> {
        self.0.people(visit.0).await
    }

    /// Find people by their address.
    #[oai(path = "/people/search", method = "post", operation_id = "admin_search_people")]
    async fn search_people(
        &self,
        visit: AdminVisit,
        #[oai(name = "include")] _include: Query<Option<WithEmail>>,
        search: JsonOrFault<PeopleSearch>,
    ) -> List<Person> {
        self.0.search_people(visit.0, search.0).await
    }

    /// Show a person.
    #[oai(path = "/people/:id", method = "get", operation_id = "admin_person")]
    async fn person(
        &self,
        visit: AdminVisit,
        id: Path<String>,
        #[oai(name = "include")] _include: Query<Option<WithEmail>>,
    ) -> Answer<PersonInFull> {
        self.0.person(visit.0, id.0).await
    }

    /// End all grants of a person.
    #[oai(path = "/people/:id/revoke", method = "post", operation_id = "admin_revoke_person")]
    async fn revoke_person(
        &self,
        visit: AdminVisit,
        id: Path<String>,
        #[oai(name = "X-Form-Token")] _form: Header<Option<String>>,
    ) -> Answer<Revoked> {
        self.0.revoke_person(visit.0, id.0).await
    }

    /// List organizations.
    ///
    /// The newest first.
    #[oai(path = "/organizations", method = "get", operation_id = "admin_organizations")]
    async fn organizations(
        &self,
        visit: AdminVisit,
        #[oai(name = "limit", validator(minimum(value = "1"), maximum(value = "500")))]
        _limit: Query<Option<u64>>,
        #[oai(name = "after")] _after: Query<Option<String>>,
        #[oai(name = "format")] _format: Query<Option<Format>>,
    ) -> List<Organization> {
        self.0.organizations(visit.0).await
    }

    /// List feedback.
    ///
    /// The newest first, without what people wrote unless that is asked for.
    #[oai(path = "/feedback", method = "get", operation_id = "admin_feedback")]
    async fn feedback(
        &self,
        visit: AdminVisit,
        /// Tell what people wrote, too.
        #[oai(name = "include")]
        _include: Query<Option<WithText>>,
        #[oai(name = "limit", validator(minimum(value = "1"), maximum(value = "500")))]
        _limit: Query<Option<u64>>,
        #[oai(name = "after")] _after: Query<Option<String>>,
        #[oai(name = "format")] _format: Query<Option<Format>>,
    ) -> List<Feedback> {
        self.0.feedback(visit.0).await
    }

    /// List who is handed what happens here.
    #[oai(path = "/sinks", method = "get", operation_id = "admin_sinks")]
    async fn sinks(
        &self,
        visit: AdminVisit,
        #[oai(name = "format")] _format: Query<Option<Format>>,
    ) -> List<Sink> {
        self.0.sinks(visit.0).await
    }

    /// List what is on its way.
    ///
    /// The newest first. What was delivered is remembered for a while.
    #[oai(path = "/deliveries", method = "get", operation_id = "admin_deliveries")]
    async fn deliveries(
        &self,
        visit: AdminVisit,
        /// To this one.
        #[oai(name = "sink")]
        _sink: Query<Option<String>>,
        /// Those that have come so far.
        #[oai(name = "state")]
        _state: Query<Option<DeliveryState>>,
        #[oai(name = "limit", validator(minimum(value = "1"), maximum(value = "500")))]
        _limit: Query<Option<u64>>,
        #[oai(name = "after")] _after: Query<Option<String>>,
        #[oai(name = "format")] _format: Query<Option<Format>>,
    ) -> List<Delivery> {
        self.0.deliveries(visit.0).await
    }

    /// List the audit log.
    ///
    /// Who did what, the newest first. Rows are added and never changed.
    #[oai(path = "/audit", method = "get", operation_id = "admin_audit")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the document")]
    async fn audit(
        &self,
        visit: AdminVisit,
        /// From this day on, written `2027-01-15`, in UTC.
        #[oai(name = "from")]
        _from: Query<Option<String>>,
        /// Up to this day, it included.
        #[oai(name = "to")]
        _to: Query<Option<String>>,
        /// Of this kind: `signed_in`, `consent_allowed`, `consent_denied`, `token_issued`,
        /// `token_refreshed`, `refresh_reused`, `grant_revoked`, `client_registered`,
        /// `client_changed`, `admin_token_created`, `admin_token_revoked`, `deliveries_requeued`,
        /// `person_exported`, `person_erased`, `enforcement_resumed` or `signing_key_published`.
        #[oai(name = "kind")]
        _kind: Query<Option<String>>,
        /// About this person, or done by them.
        #[oai(name = "person")]
        _person: Query<Option<String>>,
        #[oai(name = "limit", validator(minimum(value = "1"), maximum(value = "500")))]
        _limit: Query<Option<u64>>,
        #[oai(name = "after")] _after: Query<Option<String>>,
        #[oai(name = "format")] _format: Query<Option<Format>>,
    ) -> List<Audit> {
        self.0.audit(visit.0).await
    }

    /// Queue again what was given up.
    #[oai(path = "/sinks/:name/redeliver", method = "post", operation_id = "admin_redeliver")]
    async fn redeliver(
        &self,
        visit: AdminVisit,
        name: Path<String>,
        #[oai(name = "X-Form-Token")] _form: Header<Option<String>>,
    ) -> Answer<Requeued> {
        self.0.redeliver(visit.0, name.0).await
    }
}
