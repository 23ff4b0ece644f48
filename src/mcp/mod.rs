//! The tools: what an assistant can ask of the documentation, over MCP.
//!
//! One request on `/mcp`, already authenticated by the door, goes through this room in order:
//!
//! 1. [`transport`] checks what HTTP says about it: method, `Accept`, `Content-Type`.
//! 2. [`envelope`] opens the body: one JSON-RPC request, notification or response, nothing else.
//! 3. [`tools`] names what the called tool needs, and the caller either has it or is sent away.
//! 4. [`transport`] hands rmcp the headers the protocol defines and no others; rmcp tells the eras
//!    apart (2026-07-28 stateless, 2025-11-25 and older by `initialize`) and checks the rest.
//! 5. [`dispatch`] answers: one file per tool ([`search`], [`ask`], [`read_page`],
//!    [`list_api_pages`], [`search_api`], [`get_api_content`], [`feedback`], [`feedback_status`];
//!    in [`account`] two that say who calls and where a person ends a connection), typed
//!    [`argument`]s in, Markdown and structured content out. [`work`] ends with its request. What
//!    another server answers is in [`elsewhere`]: its arguments ([`inputs`]), its [`pages`], and
//!    one answer of several sources ([`merge`]).
//! 6. [`usage`] is told what became of the call.
//! 7. [`transport`] turns whatever rmcp said in plain text into JSON-RPC. What it said to who asked
//!    for a list is kept in [`lists`].
//!
//! [`introduction`] tells the same to who has not connected.
//!
//! Nothing else is kept between two requests (MCP 2026-07-28, Statelessness), so any replica may
//! answer any of them.
//!
//! Never here: tokens, cookies, the store, `Origin` and `Host` checks, rate limits. The room sees a
//! [`caller::Caller`], already admitted.

pub mod account;
pub mod argument;
pub mod ask;
pub mod caller;
pub mod context;
pub mod dispatch;
pub mod elsewhere;
pub mod envelope;
pub mod feedback;
pub mod feedback_status;
pub mod get_api_content;
pub mod inputs;
pub mod introduction;
pub mod list_api_pages;
pub mod lists;
pub mod merge;
pub mod pages;
pub mod read_page;
pub mod refusal;
pub mod reply;
pub mod search;
pub mod search_api;
pub mod sections;
pub mod server;
pub mod tools;
pub mod transport;
pub mod usage;
pub mod work;

#[cfg(test)]
mod tests;
