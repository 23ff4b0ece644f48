//! The API reference: OpenAPI documents listed, searched, rendered.
//!
//! What this room promises:
//!
//! 1. **Read.** OpenAPI 3.x and Swagger 2.0, in YAML and JSON, become [`node`]s within bounds;
//!    files that refer to each other are read together ([`files`]), and nothing outside of their
//!    folder or on another machine ever is. A broken file is an error that names it: an API of
//!    which half is missing would be believed to be whole.
//! 2. **Shelve.** Every API, group, operation, webhook, named schema and topic is a [`page`] with
//!    an address that survives a re-reading ([`shelf`]). A [`library`] holds one immutable snapshot
//!    and swaps it when files change.
//! 3. **Answer.** Lists, search by name, path and words, and pages as Markdown, made when they are
//!    asked for. A request is only ever a key into the snapshot. References that lead nowhere or
//!    round in a circle are told on the page; extensions and what is written wrongly are passed
//!    over.
//!
//! Never here: OAuth, HTTP requests of ours, the store, a clock, the environment.

pub mod error;
pub mod files;
mod find;
pub mod library;
pub mod node;
pub mod page;
pub mod parse;
mod render;
pub mod shelf;
pub mod sources;
pub mod spec;
mod swagger;

#[cfg(test)]
mod tests;
