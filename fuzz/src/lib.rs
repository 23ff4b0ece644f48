//! What the fuzz targets share: the rules under test, and a second, slow telling of them.
//!
//! The rules are taken as files and not as the crate, so that a target builds in seconds and every
//! branch that the fuzzer sees is one of theirs.

#[path = "../../src/domain/redirect_uri.rs"]
pub mod redirect_uri;

pub mod reference;
