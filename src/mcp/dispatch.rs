//! The methods of MCP, answered: rmcp calls this once it has checked the transport.
//!
//! Prompts and resources are lists without entries, declared and answered, because many clients ask
//! for all lists whatever the capabilities say.

use std::borrow::Cow;
use std::error::Error;
use std::sync::Arc;

use rmcp::model::{
    CacheScope, CallToolRequestParams, CallToolResponse, CallToolResult, ContentBlock,
    CustomRequest, CustomResult, DiscoverResult, ErrorCode, ErrorData, GetPromptRequestParams,
    GetPromptResponse, ListPromptsResult, ListResourceTemplatesResult, ListResourcesResult,
    ListToolsResult, PaginatedRequestParams, ProtocolVersion, ReadResourceRequestParams,
    ReadResourceResponse, ServerConfig,
};
use rmcp::service::RequestContext;
use rmcp::{RoleServer, ServerHandler};
use serde_json::json;
use tracing::Instrument as _;

use crate::docs::library::Library;
use crate::mcp::argument::Arguments;
use crate::mcp::caller::Caller;
use crate::mcp::elsewhere::{self, House};
use crate::mcp::feedback::FeedbackBox;
use crate::mcp::refusal::{SUPPORTED_VERSIONS, internal_error};
use crate::mcp::reply::{Failure, Reply};
use crate::mcp::server::Asking;
use crate::mcp::tools::{Catalogue, Tool};
use crate::mcp::usage::{Call, Outcome, UsageBook};
use crate::mcp::{
    account, ask, feedback, feedback_status, get_api_content, list_api_pages, read_page, search,
    search_api, work,
};
use crate::reference::library::Reference;
use crate::remote::Remotes;
use crate::traces::{self, End};

/// How long a client may keep a list. Lists change with a deployment, and a client that sees an old
/// one for this long merely misses a new tool.
const LIST_TTL_MS: u64 = 5 * 60 * 1_000;

/// Methods answered here. A request for one of them that rmcp could not read has wrong parameters.
const METHODS: &[&str] = &[
    "initialize",
    "server/discover",
    "tools/list",
    "tools/call",
    "prompts/list",
    "prompts/get",
    "resources/list",
    "resources/templates/list",
    "resources/read",
];

/// What the server says about itself, and what it answers from.
pub struct Dispatch {
    /// Name, instructions and capabilities.
    pub about: ServerConfig,
    /// The tools.
    pub catalogue: Arc<Catalogue>,
    /// The documentation.
    pub library: Arc<Library>,
    /// The API reference.
    pub reference: Arc<Reference>,
    /// Where feedback goes.
    pub feedback_box: Arc<dyn FeedbackBox>,
    /// Where calls are counted.
    pub usage: Arc<dyn UsageBook>,
    /// Where people see what they connected.
    pub account_url: String,
    /// Who is told of people who sign in, and what, each in a line.
    pub told: Vec<String>,
    /// Other servers whose tools are offered.
    pub remotes: Arc<Remotes>,
    /// What of calls is kept beside their number.
    pub keeping: account::Keeping,
}

impl ServerHandler for Dispatch {
    fn get_info(&self) -> ServerConfig {
        self.about.clone()
    }

    fn supported_protocol_versions(&self) -> Cow<'static, [ProtocolVersion]> {
        Cow::Borrowed(SUPPORTED_VERSIONS)
    }

    async fn discover(&self, _: RequestContext<RoleServer>) -> Result<DiscoverResult, ErrorData> {
        Ok(DiscoverResult::from_server_info(SUPPORTED_VERSIONS.to_vec(), self.get_info())
            .with_ttl_ms(LIST_TTL_MS)
            .with_cache_scope(CacheScope::Public))
    }

    async fn list_tools(
        &self,
        request: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        check_cursor(request)?;
        let mut list = ListToolsResult::with_all_items(self.catalogue.definitions());
        (list.ttl_ms, list.cache_scope) = cache_hints(&context);
        Ok(list)
    }

    async fn list_prompts(
        &self,
        request: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListPromptsResult, ErrorData> {
        check_cursor(request)?;
        let mut list = ListPromptsResult::default();
        (list.ttl_ms, list.cache_scope) = cache_hints(&context);
        Ok(list)
    }

    async fn get_prompt(
        &self,
        _: GetPromptRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<GetPromptResponse, ErrorData> {
        Err(ErrorData::invalid_params("Unknown prompt: this server offers none.", None))
    }

    async fn list_resources(
        &self,
        request: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListResourcesResult, ErrorData> {
        check_cursor(request)?;
        let mut list = ListResourcesResult::default();
        (list.ttl_ms, list.cache_scope) = cache_hints(&context);
        Ok(list)
    }

    async fn list_resource_templates(
        &self,
        request: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListResourceTemplatesResult, ErrorData> {
        check_cursor(request)?;
        let mut list = ListResourceTemplatesResult::default();
        (list.ttl_ms, list.cache_scope) = cache_hints(&context);
        Ok(list)
    }

    /// There are no resources, so no URI can reach past the tools, whatever its scheme or path.
    /// rmcp turns the code into -32602 for the modern era, which retired this one.
    async fn read_resource(
        &self,
        request: ReadResourceRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<ReadResourceResponse, ErrorData> {
        let data = json!({ "uri": request.uri });
        Err(ErrorData::resource_not_found("Resource not found", Some(data)))
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let Some(tool) = self.catalogue.find(&request.name) else {
            if let Some(Admitted { caller, asking, .. }) = admission(&context) {
                self.usage.note(asking.call(caller, "", Outcome::Refused));
            }
            return Err(self.unknown_tool());
        };
        let Admitted { caller, span, asking } = admitted(tool, &context)?;
        let mut arguments = Arguments::new(request.arguments.unwrap_or_default());
        // Taken out before any tool sees it, so that none can hand it on.
        let wanted = self.catalogue.take_context(tool, &mut arguments);
        let query = tool.query_argument().filter(|_| self.keeping.queries);
        let query = query.and_then(|name| arguments.get(name)?.as_str()).map(text_to_keep);
        let name = self.catalogue.name_of(tool);
        let told = span.in_scope(|| traces::tool_call(name));
        // In both: rmcp's task knows of neither, and lines of the log belong to the request.
        let run = self.run(tool, caller.clone(), arguments);
        let run = run.instrument(told.clone()).instrument(span.clone());
        let Some(ended) = work::unless_gone(context.ct.cancelled(), run).await else {
            traces::ended(&told, Outcome::Abandoned.name(), End::Well);
            self.usage.note(asking.call(&caller, name, Outcome::Abandoned));
            span.in_scope(|| tracing::info!(?tool, "the client is gone"));
            return Err(internal_error());
        };
        let outcome = Outcome::of(&ended);
        let end = if outcome == Outcome::Fault { End::Fault } else { End::Well };
        traces::ended(&told, outcome.name(), end);
        self.usage.note(Call {
            finding: ended.as_ref().ok().and_then(Reply::finding),
            query: query.as_deref(),
            context: wanted.as_deref(),
            ..asking.call(&caller, name, outcome)
        });
        let result = match ended {
            Ok(reply) => CallToolResult::from(reply),
            Err(Failure::Refused(text) | Failure::Unavailable(text)) => {
                CallToolResult::error(vec![ContentBlock::text(text)])
            }
            Err(Failure::Fault(error)) => {
                let error: &dyn Error = &*error;
                span.in_scope(|| tracing::error!(?tool, error, "a tool failed"));
                return Err(internal_error());
            }
        };
        Ok(result.into())
    }

    async fn on_custom_request(
        &self,
        request: CustomRequest,
        _: RequestContext<RoleServer>,
    ) -> Result<CustomResult, ErrorData> {
        if METHODS.contains(&request.method.as_str()) {
            return Err(ErrorData::invalid_params("The parameters do not fit the method.", None));
        }
        Err(ErrorData::new(ErrorCode::METHOD_NOT_FOUND, "Method not found", None))
    }
}

impl Dispatch {
    async fn run(
        &self,
        tool: Tool,
        caller: Caller,
        arguments: Arguments,
    ) -> Result<Reply, Failure> {
        let place = tool.place();
        if let Some(place) = place.filter(|place| self.remotes.in_place_of(*place).next().is_some())
        {
            let house = House {
                library: Arc::clone(&self.library),
                reference: Arc::clone(&self.reference),
                remotes: Arc::clone(&self.remotes),
            };
            let call = elsewhere::answer(place, house, caller, arguments);
            return work::on_own_task(call.in_current_span()).await?;
        }
        match tool {
            Tool::Remote(number) => {
                let tool = Arc::clone(&self.remotes.all()[number]);
                let call = elsewhere::pass_on(tool, caller, arguments);
                work::on_own_task(call.in_current_span()).await?
            }
            Tool::Search => self.consult(move |library| search::call(library, &arguments)).await,
            Tool::Ask => self.consult(move |library| ask::call(library, &arguments)).await,
            Tool::ReadPage => {
                self.consult(move |library| read_page::call(library, &arguments)).await
            }
            Tool::ListApiPages => {
                self.look_up(move |reference| list_api_pages::call(reference, &arguments, None))
                    .await
            }
            Tool::SearchApi => {
                self.look_up(move |reference| search_api::call(reference, &arguments, None)).await
            }
            Tool::GetApiContent => {
                self.look_up(move |reference| get_api_content::call(reference, &arguments, None))
                    .await
            }
            Tool::SubmitFeedback => {
                let feedback_box = Arc::clone(&self.feedback_box);
                let call = async move { feedback::call(&*feedback_box, &caller, &arguments).await };
                work::to_its_end(call).await?
            }
            Tool::FeedbackStatus => {
                let feedback_box = Arc::clone(&self.feedback_box);
                let call =
                    async move { feedback_status::call(&*feedback_box, &caller, &arguments).await };
                work::on_own_task(call).await?
            }
            Tool::WhoAmI => account::whoami(&caller, &self.account_url, self.keeping, &self.told),
            Tool::Disconnect => account::disconnect(&caller, &self.account_url),
        }
    }

    /// Asks the library on a thread that may be busy.
    ///
    /// Most calls take about a millisecond, but a question of two thousand characters takes several
    /// times that, and a sign-in must not wait for it on the same thread. It also makes a panic an
    /// error: rmcp leaves a request whose task died waiting for ever.
    async fn consult<F>(&self, call: F) -> Result<Reply, Failure>
    where
        F: FnOnce(&Library) -> Result<Reply, Failure> + Send + 'static,
    {
        let library = Arc::clone(&self.library);
        work::on_busy_thread(move || call(&library)).await?
    }

    /// Asks the API reference, likewise.
    async fn look_up<F>(&self, call: F) -> Result<Reply, Failure>
    where
        F: FnOnce(&Reference) -> Result<Reply, Failure> + Send + 'static,
    {
        let reference = Arc::clone(&self.reference);
        work::on_busy_thread(move || call(&reference)).await?
    }

    fn unknown_tool(&self) -> ErrorData {
        let names = self.catalogue.names().collect::<Vec<_>>().join(", ");
        ErrorData::invalid_params(format!("Unknown tool. The tools are: {names}."), None)
    }
}

/// So much of a query as a tool may take.
fn text_to_keep(text: &str) -> String {
    text.trim().chars().take(search::QUERY_CHARS_MAX).collect()
}

/// What the server tells a tool about the request it came with.
#[derive(Clone, Debug)]
pub struct Admitted {
    /// Who calls.
    pub caller: Caller,
    /// The request in the log. rmcp answers on a task of its own, which knows nothing of it.
    pub span: tracing::Span,
    /// The request, as far as it is counted.
    pub asking: Asking,
}

fn admission(context: &RequestContext<RoleServer>) -> Option<&Admitted> {
    let parts = context.extensions.get::<http::request::Parts>();
    parts.and_then(|parts| parts.extensions.get::<Admitted>())
}

/// The caller, checked a second time. The server has sent away whoever may not make this call, so a
/// shortfall here means that a call found another way in, and it must not get through.
fn admitted(tool: Tool, context: &RequestContext<RoleServer>) -> Result<Admitted, ErrorData> {
    match admission(context) {
        Some(admitted) if tool.requirement().check(&admitted.caller).is_ok() => {
            Ok(admitted.clone())
        }
        Some(_) | None => {
            tracing::error!(?tool, "a call reached its tool unadmitted");
            Err(internal_error())
        }
    }
}

/// Every list fits one page, so no cursor was ever given out. An empty one is how some clients
/// write none.
fn check_cursor(request: Option<PaginatedRequestParams>) -> Result<(), ErrorData> {
    match request.and_then(|request| request.cursor) {
        Some(cursor) if !cursor.is_empty() => {
            Err(ErrorData::invalid_params("Invalid cursor: every list has one page.", None))
        }
        Some(_) | None => Ok(()),
    }
}

/// Lists are the same for every caller, hence public. The older revisions know no such hints.
fn cache_hints(context: &RequestContext<RoleServer>) -> (Option<u64>, Option<CacheScope>) {
    match context.protocol_version() {
        Some(version) if !version.has_initialize() => (Some(LIST_TTL_MS), Some(CacheScope::Public)),
        Some(_) | None => (None, None),
    }
}
