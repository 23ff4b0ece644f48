//! Who used what: people and their organizations, their feedback, and how what is known is handed
//! on.
//!
//! [`people`] writes and reads who belongs where, by the rule in `domain::organization`;
//! [`upkeep`] does it for those who do not come by themselves.
//!
//! What is to be handed on waits in the outbox, written with what it tells of. [`delivery`] claims
//! it, a [`letter::Receiver`] says how it is written ([`form`], [`webhook`], [`sink_letter`]),
//! [`post`] sends it, and [`backoff`] says when it is tried again. [`sinks`] says who is told of a
//! [`happening`], and the [`ledger`] what whoever was told has.
//!
//! [`usage`] counts calls, and [`searches`] keeps what was asked, where the settings say so.
//!
//! Never here: tokens; a transaction open while somebody outside is talked to.

pub mod backoff;
pub mod delivery;
pub mod erasure;
pub mod event;
pub mod export;
pub mod feedback;
pub mod form;
pub mod happening;
pub mod ledger;
pub mod letter;
pub mod people;
pub mod post;
pub mod remote_ledger;
pub mod scrub;
pub mod searches;
pub mod sink_letter;
pub mod sinks;
pub mod upkeep;
pub mod usage;
pub mod webhook;
