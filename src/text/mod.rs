//! Texts that can be searched: what the corpus and the API reference share.
//!
//! Words and names become terms ([`tokens`]), terms an index in memory ([`index`]), texts are cut
//! to budgets ([`cut`]), and a name that nothing has is answered with those most like it
//! ([`likeness`]).
//!
//! Never here: files, pages, what the texts are about.

pub mod cut;
pub mod index;
pub mod likeness;
pub mod tokens;

#[cfg(test)]
mod hostile;
