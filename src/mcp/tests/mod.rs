//! The room from its front door: whole requests in, whole answers out.
//!
//! Requirement ids are those of the project's MCP requirements; each module names the ones it
//! proves, and each test the ones of its own.

mod account;
mod api_reference;
mod callers;
mod cancellation;
mod counting;
mod envelopes;
mod eras;
mod hostile;
mod http_rules;
mod legacy;
mod listing;
mod modern;
mod robustness;
mod schema;
mod tool_answers;
mod tool_refusals;
mod world;
