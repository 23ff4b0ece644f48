//! Texts that can be searched: what the corpus and the API reference share.
//!
//! Words and names become terms ([`tokens`]), terms an index in memory ([`index`]). A question
//! ([`question`]) is its words and what may stand for them: others that mean the same
//! ([`synonyms`]), and for a misspelt one the nearest that the index has ([`vocabulary`]).
//! [`query`] makes of it what the index understands. Texts are cut to budgets ([`cut`]), and a
//! name that nothing has is answered with those most like it ([`likeness`]).
//!
//! Never here: files, pages, what the texts are about.

pub mod cut;
pub mod index;
pub mod likeness;
mod query;
pub mod question;
mod synonyms;
pub mod tokens;
mod vocabulary;

#[cfg(test)]
mod hostile;
