//! Gatehouse: an OAuth 2.1 authorization server for MCP clients, and the documentation MCP server
//! behind it.
//!
//! Read the rooms in this order; arrows point from the later to the earlier ones, and
//! `tests/tidy.rs` holds them to it.
//!
//! - [`clock`], [`secret`], [`server_secret`], [`keys`], [`private_jwk`], [`id`], [`loopback`]:
//!   leaves that anyone may use. Never here: decisions.
//! - [`calendar`]: days and dates; a leaf too. Never here: what a person is shown.
//! - [`special_use`]: which addresses are the public internet's; a leaf too.
//! - [`http_client`]: how this server goes out; a leaf too. Never here: whom it asks for what.
//! - [`traces`]: the way of a request, told to a collector; a leaf. Never here: what came in it.
//! - [`config`]: the settings, checked whole. Never here: connections.
//! - [`domain`]: the rules, values in and decisions out. Never here: IO, time, chance.
//! - [`metrics`]: what is counted of all that, for whoever watches. Never here: what came in a
//!   request.
//! - [`store`]: the rows. Never here: decisions, HTTP.
//! - [`upstream`]: the identity provider. Never here: who may sign in.
//! - [`clients`]: who is asking. Never here: tokens.
//! - [`text`]: texts searched and cut, for the next two rooms. Never here: files.
//! - [`docs`]: the corpus, read and searched. Has never heard of OAuth.
//! - [`reference`]: API documents listed, searched, rendered. Never here: what calls them.
//! - [`remote`]: other people's MCP servers. Never here: our caller's token.
//! - [`mcp`]: the tools. Never here: tokens; it sees a caller, already admitted.
//! - [`attribution`]: who used what. Never here: tokens.
//! - [`page`]: HTML for people. Never here: decisions.
//! - [`flow`]: the conversations, one file per exchange. Never here: SQL, HTML text.
//! - [`http`]: the door: routes and middleware in order. Never here: rules.
//! - [`cli`]: the commands.

pub mod attribution;
pub mod calendar;
pub mod cli;
pub mod clients;
pub mod clock;
pub mod config;
pub mod docs;
pub mod domain;
pub mod flow;
pub mod http;
pub mod http_client;
pub mod id;
pub mod keys;
pub mod loopback;
pub mod mcp;
pub mod metrics;
pub mod page;
pub mod private_jwk;
pub mod reference;
pub mod remote;
pub mod secret;
pub mod server_secret;
pub mod special_use;
pub mod store;
pub mod text;
pub mod traces;
pub mod upstream;
