//! The MCP server: one admitted request in, one answer out.

use std::sync::Arc;

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, Method, Request, Response};
use http_body_util::{BodyExt as _, Full};
use rmcp::model::{Implementation, ServerCapabilities, ServerConfig};
use rmcp::transport::streamable_http_server::session::never::NeverSessionManager;
use rmcp::transport::{StreamableHttpServerConfig, StreamableHttpService};

use crate::clock::Stopwatch;
use crate::docs::library::Library;
use crate::mcp::account::Keeping;
use crate::mcp::caller::{Caller, Scope, Shortfall};
use crate::mcp::dispatch::{Admitted, Dispatch};
use crate::mcp::envelope::Envelope;
use crate::mcp::feedback::FeedbackBox;
use crate::mcp::introduction::Introduction;
use crate::mcp::lists::{self, Lists};
use crate::mcp::tools::Catalogue;
use crate::mcp::transport::{self, Passage};
use crate::mcp::usage::{Call, Connection, Outcome, Signs, UsageBook};
use crate::reference::library::Reference;
use crate::remote::Remotes;

/// What an operator decides about this room.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The product the documentation is about, as in `docs_product`.
    pub product: String,
    /// The version of this program.
    pub server_version: String,
    /// Where people find this server.
    pub public_url: String,
    /// Where people see what they connected, and end it.
    pub account_url: String,
    /// What of calls is kept beside their number.
    pub keeping: Keeping,
    /// Who is told of people who sign in, and what, each in a line.
    pub told: Vec<String>,
}

/// What the door does with a request.
#[derive(Debug)]
pub enum McpAnswer {
    /// Send this.
    Response(Response<Bytes>),
    /// Answer 403 `insufficient_scope`: the token lacks some of these scopes.
    NeedsScope {
        /// Every scope the call needs.
        required: &'static [Scope],
    },
    /// Answer 401 with a challenge: nobody signed in, and the tool acts in a person's name.
    NeedsPerson {
        /// Every scope the call needs.
        required: &'static [Scope],
    },
}

/// The server on `/mcp`. Cheap to share; keeps nothing between two requests but what is the same
/// for all of them.
pub struct McpServer {
    about: ServerConfig,
    lists: Lists,
    catalogue: Arc<Catalogue>,
    usage: Arc<dyn UsageBook>,
    rmcp: StreamableHttpService<Arc<Dispatch>, NeverSessionManager>,
}

/// What the tools answer from, and whom they hand over to.
pub struct Furniture {
    /// The documentation.
    pub library: Arc<Library>,
    /// The API reference.
    pub reference: Arc<Reference>,
    /// Where feedback goes.
    pub feedback_box: Arc<dyn FeedbackBox>,
    /// Where calls are counted.
    pub usage: Arc<dyn UsageBook>,
    /// Other servers whose tools are offered.
    pub remotes: Arc<Remotes>,
}

impl McpServer {
    /// Puts the tools together for one product.
    pub fn new(settings: &Settings, furniture: Furniture) -> Self {
        let Furniture { library, reference, feedback_box, usage, remotes } = furniture;
        let catalogue =
            Arc::new(Catalogue::new(&settings.product, &remotes, settings.keeping.context));
        let about = about(settings);
        let dispatch = Arc::new(Dispatch {
            about: about.clone(),
            catalogue: Arc::clone(&catalogue),
            library,
            reference,
            feedback_box,
            usage: Arc::clone(&usage),
            account_url: settings.account_url.clone(),
            keeping: settings.keeping,
            told: settings.told.clone(),
            remotes,
        });
        let rmcp = StreamableHttpService::new(
            move || Ok(Arc::clone(&dispatch)),
            Arc::new(NeverSessionManager::default()),
            configuration(),
        );
        Self { about, lists: Lists::default(), catalogue, usage, rmcp }
    }

    /// What this server is and offers, for who has not connected.
    pub fn introduction(&self) -> Introduction {
        Introduction::of(&self.about, &self.catalogue)
    }

    /// Opens one request as far as it can be. The door has limited the body.
    pub fn open(&self, parts: Parts, body: &Bytes) -> Opened {
        let envelope = match transport::check_http(&parts) {
            Ok(()) => Envelope::open(body).map_err(|(refusal, id)| refusal.into_response(id)),
            Err(refusal) => Err(refusal.into_response(None)),
        };
        let asking = Asking {
            signs: transport::signs(&parts.headers, envelope.as_ref().ok()),
            began: Stopwatch::start(),
            connection: parts.extensions.get::<Connection>().copied(),
        };
        Opened { headers: parts.headers, envelope, asking }
    }

    /// The tool that a request calls, if one of that name is offered, by that name.
    pub fn tool_called<'a>(&'a self, opened: &Opened) -> Option<&'a str> {
        let name = opened.envelope.as_ref().ok()?.called_tool()?;
        self.catalogue.find(name).map(|tool| self.catalogue.name_of(tool))
    }

    /// Answers one request. The door has admitted the caller.
    pub async fn answer(&self, opened: Opened, caller: Caller) -> McpAnswer {
        let Opened { headers, envelope, asking } = opened;
        let envelope = match envelope {
            Ok(envelope) => envelope,
            Err(response) => return McpAnswer::Response(response),
        };
        // What the caller may do comes before what is wrong with the call, so that nobody learns
        // the bounds of a tool out of reach, and so that one challenge is enough.
        if let Some(tool) = envelope.called_tool().and_then(|name| self.catalogue.find(name)) {
            let required = tool.requirement().scopes;
            if let Err(shortfall) = tool.requirement().check(&caller) {
                let (outcome, answer) = match shortfall {
                    Shortfall::Person => {
                        (Outcome::Unauthorized, McpAnswer::NeedsPerson { required })
                    }
                    Shortfall::Scope => (Outcome::Forbidden, McpAnswer::NeedsScope { required }),
                };
                self.usage.note(asking.call(&caller, self.catalogue.name_of(tool), outcome));
                return answer;
            }
        }
        McpAnswer::Response(match transport::direct(&headers, &envelope) {
            Ok(Passage::Forward(headers)) => self.forward(headers, &envelope, caller, asking).await,
            Ok(Passage::Accepted) => transport::accepted(),
            Err(refusal) => refusal.into_response(envelope.id()),
        })
    }

    /// Counts a request that the door turned away for being one too many.
    pub fn note_limited(&self, headers: &HeaderMap, caller: &Caller) {
        let signs = signs_of_headers(headers);
        let asking = Asking { signs, began: Stopwatch::start(), connection: None };
        self.usage.note(asking.call(caller, "", Outcome::Limited));
    }

    async fn forward(
        &self,
        headers: HeaderMap,
        envelope: &Envelope,
        caller: Caller,
        asking: Asking,
    ) -> Response<Bytes> {
        let list = lists::Key::of(&headers, envelope).zip(envelope.id());
        let kept = list.as_ref().and_then(|(list, id)| self.lists.find(list, id));
        if let Some(kept) = kept {
            return kept;
        }
        let mut request = Request::new(Full::new(envelope.to_bytes()));
        *request.method_mut() = Method::POST;
        *request.headers_mut() = headers;
        let span = tracing::Span::current();
        request.extensions_mut().insert(Admitted { caller, span, asking });
        let (parts, body) = self.rmcp.handle(request).await.into_parts();
        let Ok(body) = body.collect().await;
        let said = transport::mend(Response::from_parts(parts, body.to_bytes()), envelope.id());
        if let Some((list, id)) = list {
            self.lists.keep(list, &id, &said);
        }
        said
    }
}

/// A request whose body was read.
#[derive(Debug)]
pub struct Opened {
    headers: HeaderMap,
    /// The message, or what its sender is told about it.
    envelope: Result<Envelope, Response<Bytes>>,
    asking: Asking,
}

impl Opened {
    /// How its client describes itself.
    pub const fn signs(&self) -> &Signs {
        &self.asking.signs
    }

    /// What kind of message it is; empty for one that cannot be read.
    pub fn kind(&self) -> &'static str {
        self.envelope.as_ref().map_or("", Envelope::kind)
    }
}

/// How a client describes itself whose request was not read.
pub fn signs_of_headers(headers: &HeaderMap) -> Signs {
    transport::signs(headers, None)
}

/// The names of the tools that are offered, in their order.
pub fn offered_tools(product: &str, remotes: &Remotes) -> Vec<String> {
    Catalogue::new(product, remotes, false).names().map(str::to_owned).collect()
}

/// A request, as far as it is counted.
#[derive(Clone, Debug)]
pub struct Asking {
    /// How its client describes itself.
    pub signs: Signs,
    /// When it came.
    pub began: Stopwatch,
    /// Where it came from.
    pub connection: Option<Connection>,
}

impl Asking {
    /// A call that ends now.
    pub fn call<'a>(&'a self, caller: &'a Caller, tool: &'a str, outcome: Outcome) -> Call<'a> {
        Call {
            caller,
            signs: &self.signs,
            tool,
            outcome,
            took: self.began.elapsed(),
            finding: None,
            query: None,
            context: None,
            connection: self.connection,
        }
    }
}

/// How rmcp serves: no sessions, one JSON answer per request.
fn configuration() -> StreamableHttpServerConfig {
    StreamableHttpServerConfig::default()
        .with_legacy_session_mode(false)
        .with_json_response(true)
        // The door checks Host and Origin for every endpoint alike, before anybody is let in.
        .disable_allowed_hosts()
        .disable_allowed_origins()
        // The door limits bodies; what reaches rmcp was read in full and written anew, which may
        // make it a little longer.
        .with_max_request_body_bytes(usize::MAX)
}

/// Name, capabilities and instructions, as `initialize` and `server/discover` show them.
fn about(settings: &Settings) -> ServerConfig {
    let product = &settings.product;
    let mut server_info = Implementation::new("gatehouse", &settings.server_version);
    server_info.title = Some(format!("{product} documentation"));
    server_info.website_url = Some(settings.public_url.clone());
    // Prompts and resources are lists without entries. They are answered, since many clients ask
    // for them all the same, and what is answered must be declared (MCP 2026-07-28, Capability
    // Negotiation). No list changes while the program runs, so none is said to.
    let capabilities =
        ServerCapabilities::builder().enable_prompts().enable_resources().enable_tools().build();
    let mut about = ServerConfig::new(capabilities);
    about.server_info = server_info;
    about.instructions = Some(format!(
        "This server holds the {product} documentation. For a question about {product}, call \
         search_docs first, with key words or with the question itself; call read_page with a path \
         from a result when a section is not enough. Answer from what the tools return, cite the \
         addresses they give, and say so when the documentation does not cover the question. For \
         an endpoint, a parameter or a schema of an API, call search_api_reference, then \
         get_api_reference_content with the addresses it gives. Call \
         submit_documentation_feedback only after the person has seen the text and agreed to send \
         it."
    ));
    about
}
