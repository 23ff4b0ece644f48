//! The pages in a real browser: each way through them, and each page in every look.
//!
//! `scripts/test-pages` runs them; `tests/README.md` maps requirements to walks. Stories of one
//! house are told on SQLite: what the database does is proven by `tests/it`.

#![allow(missing_docs, reason = "walks are named by sentences")]

#[path = "../../it/support/mod.rs"]
#[allow(dead_code, unused_imports, unused_macros, reason = "tests/it uses the rest")]
mod support;

mod administer;
mod approve;
mod attacks;
mod chromium;
mod gallery;
mod history;
mod houses;
mod judge;
mod keyboard;
mod site;
mod web;
