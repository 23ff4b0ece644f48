//! The corpus: documentation pages read from folders, held in memory, searched and read out.
//!
//! What this room promises:
//!
//! 1. **Read.** Markdown, HTML and AsciiDoc (as Antora sites write it) become one thing, a
//!    [`document::Document`]: Markdown text and the sections it falls into. A file that cannot be
//!    understood is shown as it is, and an include that cannot be found leaves a visible note;
//!    neither is ever an error, because one bad page must not take the other five hundred away.
//! 2. **Hold.** A [`library::Library`] keeps one immutable snapshot of all pages and their index.
//!    A re-index builds the next snapshot beside it and swaps; readers never wait for it.
//! 3. **Answer.** Search ranks sections and cuts them to a budget; read hands out a page or one of
//!    its sections, piece by piece. A request is only ever a key into the snapshot: no path in it
//!    reaches the file system.
//!
//! Never here: OAuth, HTTP requests of ours, the store, a clock, the environment.

mod anchor;
mod antora;
pub mod asciidoc;
mod corpus;
pub mod document;
pub mod error;
mod ground;
pub mod html;
mod index;
pub mod library;
mod links;
pub mod manual;
pub mod markdown;
mod names;
mod page;
mod rank;
pub mod read;
pub mod tree;
pub mod watch;
