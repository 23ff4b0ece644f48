//! Usage: each call counted to a person, an organization, a product, a tool, a revision and an
//! outcome, without a call that waits for it.
//!
//! 1. The tools tell [`recorder`] of each call, past [`metered`]. It adds up in memory, by key
//!    ([`pending`]).
//! 2. Every [`recorder::WRITTEN_EVERY`] what has come together is written in one transaction:
//!    products and organizations are looked up there ([`products`], [`organization`]), off the
//!    request path. Sinks that listen to calls are told of each in the same transaction ([`told`]).
//! 3. What the database does not take waits, and goes on adding up. A stop writes what is left.
//!
//! Days that are over are rolled up by the clean-up pass (`store::usage_sweep`).
//!
//! Never here: what was asked, network addresses.

pub mod metered;
pub mod organization;
pub mod pending;
pub mod products;
pub mod recorder;
pub mod told;
