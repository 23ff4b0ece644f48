//! The dashboard: pages for people who administer, without a script.

use std::sync::Arc;

use poem_openapi::param::{Path, Query};
use poem_openapi::{Enum, Object, OpenApi};
use serde::Deserialize;

use crate::admin::Tag;
use crate::admin::caller::AdminVisit;
use crate::admin::port::AdminPort;
use crate::form::FormOrFault;
use crate::page::PageResponse;
use crate::visit::Visit;

/// A page of the dashboard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
pub enum View {
    /// Pictures of it all.
    Overview,
    /// Grants.
    Grants,
    /// People.
    People,
    /// Organizations.
    Organizations,
    /// Programs.
    Clients,
    /// What people said.
    Feedback,
    /// Calls of tools.
    Usage,
    /// What people looked for and did not find.
    Gaps,
    /// Who is handed what happens here, and what is on its way.
    Sinks,
    /// Attempts to sign in.
    Attempts,
    /// Who did what.
    Audit,
    /// Who would break if everybody had to sign in.
    Enforcement,
}

/// The form of a button.
#[derive(Object, Deserialize)]
pub struct ActForm {
    /// Ties the form to the session it was shown in; nobody else can make one.
    pub form: String,
    /// `revoke_grant`, `revoke_person`, `export_person`, `erase_person`, `redeliver`, `resume` or
    /// `sign_out`.
    pub act: String,
    /// What it is done to.
    pub of: Option<String>,
    /// What the page asks to be typed before somebody is erased.
    pub confirm: Option<String>,
}

/// The pages.
pub struct DashboardApi<P>(pub Arc<P>);

/// Filters and places in lists are read from the query itself, as in the API.
#[OpenApi(tag = "Tag::Admin")]
impl<P: AdminPort> DashboardApi<P> {
    /// Show the overview.
    ///
    /// Pictures of sign-ins, organizations, programs and the way of a sign-in.
    #[oai(path = "/admin", method = "get", operation_id = "admin_overview")]
    async fn overview(&self, visit: AdminVisit) -> PageResponse {
        self.0.dashboard(visit.0, View::Overview).await
    }

    /// Show a table.
    ///
    /// With the filters of the list of the same name in the API.
    #[oai(path = "/admin/:view", method = "get", operation_id = "admin_table")]
    async fn table(
        &self,
        visit: AdminVisit,
        /// Which one.
        view: Path<View>,
        /// The last row of the page before.
        #[oai(name = "after")]
        _after: Query<Option<String>>,
    ) -> PageResponse {
        self.0.dashboard(visit.0, view.0).await
    }

    /// Show a person.
    #[oai(path = "/admin/people/:id", method = "get", operation_id = "admin_person_page")]
    async fn person_page(&self, visit: AdminVisit, id: Path<String>) -> PageResponse {
        self.0.person_page(visit.0, id.0).await
    }

    /// Show an attempt to sign in.
    #[oai(path = "/admin/attempts/:reference", method = "get", operation_id = "admin_attempt_page")]
    async fn attempt_page(&self, visit: AdminVisit, reference: Path<String>) -> PageResponse {
        self.0.attempt_page(visit.0, reference.0).await
    }

    /// Press a button of the dashboard.
    #[oai(path = "/admin/act", method = "post", operation_id = "admin_act")]
    async fn act(&self, visit: AdminVisit, form: FormOrFault<ActForm>) -> PageResponse {
        self.0.act(visit.0, form.0).await
    }

    /// Sign in to the dashboard.
    ///
    /// Leads to the sign-in of the public listener and from there back.
    #[oai(path = "/admin/login", method = "get", operation_id = "admin_login")]
    async fn login(&self, visit: Visit) -> PageResponse {
        self.0.admin_login(visit).await
    }

    /// Come back from the sign-in.
    #[oai(path = "/admin/signed-in", method = "get", operation_id = "admin_signed_in")]
    async fn signed_in(
        &self,
        visit: Visit,
        /// Good once, for a minute, in the browser that began the sign-in.
        #[oai(name = "code")]
        _code: Query<Option<String>>,
    ) -> PageResponse {
        self.0.admin_signed_in(visit).await
    }
}
