//! What the service does behind the admin endpoints.

use poem_openapi::types::Any;
use serde_json::Value;

use crate::Nobody;
use crate::admin::answer::{Answer, List};
use crate::admin::attempts::{Attempt, AttemptInFull};
use crate::admin::pages::{ActForm, View};
use crate::admin::reads::PeopleSearch;
use crate::admin::rights::{Enforcement, Erased, Requeued, Resumed, Revoked};
use crate::admin::rows::{
    Activity, Audit, Client, Delivery, Feedback, Gap, Grant, Me, Organization, Person,
    PersonInFull, Sink, Usage,
};
use crate::page::PageResponse;
use crate::visit::Visit;

macro_rules! port {
    ($($(#[$doc:meta])* $name:ident($($arg:ident: $ty:ty),*) -> $answer:ty;)+) => {
        /// What the service does behind the admin endpoints.
        #[allow(async_fn_in_trait, reason = "the endpoints need the futures to be Send")]
        pub trait AdminPort: Send + Sync + 'static {
            $(
                $(#[$doc])*
                fn $name(&self, visit: Visit $(, $arg: $ty)*)
                -> impl Future<Output = $answer> + Send;
            )+
        }

        impl AdminPort for Nobody {
            $(
                async fn $name(&self, _: Visit $(, _: $ty)*) -> $answer {
                    self.never()
                }
            )+
        }
    };
}

port! {
    /// Who asks.
    me() -> Answer<Me>;
    /// Programs, the newest first.
    clients() -> List<Client>;
    /// One program.
    client(id: String) -> Answer<Client>;
    /// Grants, the newest first.
    grants() -> List<Grant>;
    /// Ends a grant.
    revoke_grant(id: String) -> Answer<Revoked>;
    /// People in the order they came.
    people() -> List<Person>;
    /// People by their address.
    search_people(search: Option<PeopleSearch>) -> List<Person>;
    /// One person.
    person(id: String) -> Answer<PersonInFull>;
    /// Ends all grants of a person.
    revoke_person(id: String) -> Answer<Revoked>;
    /// Everything that is kept of a person.
    export_person(id: String) -> Answer<Any<Value>>;
    /// Erases a person.
    erase_person(id: String) -> Answer<Erased>;
    /// Who would break if everybody had to sign in.
    enforcement() -> Answer<Enforcement>;
    /// Ends a halt of enforcement.
    resume() -> Answer<Resumed>;
    /// Organizations, the newest first.
    organizations() -> List<Organization>;
    /// Feedback, the newest first.
    feedback() -> List<Feedback>;
    /// Who is handed what happens here.
    sinks() -> List<Sink>;
    /// What is on its way, the newest first.
    deliveries() -> List<Delivery>;
    /// Queues again what was given up.
    redeliver(name: String) -> Answer<Requeued>;
    /// The audit log, the newest first.
    audit() -> List<Audit>;
    /// Attempts to sign in, the newest first.
    attempts() -> List<Attempt>;
    /// One of them, by its reference.
    attempt(reference: String) -> Answer<AttemptInFull>;
    /// What happened, by day.
    activity() -> List<Activity>;
    /// Calls of tools, added up.
    usage() -> List<Usage>;
    /// What people looked for and did not find.
    gaps() -> List<Gap>;
    /// A page of the dashboard.
    dashboard(view: View) -> PageResponse;
    /// A person's page.
    person_page(id: String) -> PageResponse;
    /// The page of an attempt to sign in.
    attempt_page(reference: String) -> PageResponse;
    /// A form of the dashboard; none when it could not be read.
    act(form: Option<ActForm>) -> PageResponse;
    /// Where a sign-in begins.
    admin_login() -> PageResponse;
    /// Where it comes back to.
    admin_signed_in() -> PageResponse;
}
