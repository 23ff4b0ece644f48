//! The admin API: who used what, in counts, and what was not found.

use std::sync::Arc;

use poem_openapi::param::Query;
use poem_openapi::{Enum, OpenApi};

use crate::admin::Tag;
use crate::admin::answer::List;
use crate::admin::caller::AdminVisit;
use crate::admin::port::AdminPort;
use crate::admin::reads::{Format, WithText};
use crate::admin::rows::{Activity, Gap, Usage};

/// What calls are added up by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
pub enum UsageBy {
    /// The organization's key.
    Organization,
    /// The product of the client.
    Product,
    /// The tool.
    Tool,
    /// The revision of the protocol.
    Revision,
    /// The day.
    Day,
    /// What became of the call.
    Outcome,
}

/// Counts.
pub struct AdminCountsApi<P>(pub Arc<P>);

/// Parameters are declared here so that the document shows them, as in the lists.
#[OpenApi(prefix_path = "/admin/api/v1", tag = "Tag::Admin")]
impl<P: AdminPort> AdminCountsApi<P> {
    /// Tell what happened, by day.
    #[oai(path = "/activity", method = "get", operation_id = "admin_activity")]
    async fn activity(
        &self,
        visit: AdminVisit,
        /// How many days, the last of them today.
        #[oai(name = "days", validator(minimum(value = "1"), maximum(value = "366")))]
        _days: Query<Option<u32>>,
        #[oai(name = "format")] _format: Query<Option<Format>>,
    ) -> List<Activity> {
        self.0.activity(visit.0).await
    }

    /// Tell how often tools were called, and by whom.
    ///
    /// The most calls first, days in their order.
    #[oai(path = "/usage", method = "get", operation_id = "admin_usage")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the document")]
    async fn usage(
        &self,
        visit: AdminVisit,
        /// What calls are added up by.
        #[oai(name = "by")]
        _by: Query<Option<UsageBy>>,
        /// The first day, `2027-01-15`; 29 days before the last without it.
        #[oai(name = "from")]
        _from: Query<Option<String>>,
        /// The last day; today without it.
        #[oai(name = "to")]
        _to: Query<Option<String>>,
        /// Of this organization, by its key.
        #[oai(name = "organization")]
        _organization: Query<Option<String>>,
        /// With this product.
        #[oai(name = "product")]
        _product: Query<Option<String>>,
        /// Of this tool.
        #[oai(name = "tool")]
        _tool: Query<Option<String>>,
        /// With this outcome.
        #[oai(name = "outcome")]
        _outcome: Query<Option<String>>,
        #[oai(name = "limit", validator(minimum(value = "1"), maximum(value = "500")))]
        _limit: Query<Option<u64>>,
        /// How many lines came before.
        #[oai(name = "after")]
        _after: Query<Option<String>>,
        #[oai(name = "format")] _format: Query<Option<Format>>,
    ) -> List<Usage> {
        self.0.usage(visit.0).await
    }

    /// Tell what people looked for and did not find.
    ///
    /// Those that hurt the most organizations first. Nothing unless the settings keep searches.
    #[oai(path = "/gaps", method = "get", operation_id = "admin_gaps")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the document")]
    async fn gaps(
        &self,
        visit: AdminVisit,
        /// The first day; 29 days before the last without it.
        #[oai(name = "from")]
        _from: Query<Option<String>>,
        /// The last day; today without it.
        #[oai(name = "to")]
        _to: Query<Option<String>>,
        /// Tell what was asked, too.
        #[oai(name = "include")]
        _include: Query<Option<WithText>>,
        #[oai(name = "limit", validator(minimum(value = "1"), maximum(value = "500")))]
        _limit: Query<Option<u64>>,
        /// How many lines came before.
        #[oai(name = "after")]
        _after: Query<Option<String>>,
        #[oai(name = "format")] _format: Query<Option<Format>>,
    ) -> List<Gap> {
        self.0.gaps(visit.0).await
    }
}
