//! Who used what: people's feedback, what their address says of their organization, and how what is
//! known is handed on.
//!
//! What is to be handed on waits in the outbox, written with what it tells of. [`delivery`] claims
//! it, a [`letter::Receiver`] says how it is written ([`form`], [`webhook`]), [`post`] sends it,
//! and [`backoff`] says when it is tried again.
//!
//! [`usage`] counts calls, and [`searches`] keeps what was asked, where the settings say so.
//!
//! Never here: tokens; a transaction open while somebody outside is talked to.

pub mod backoff;
pub mod delivery;
pub mod event;
pub mod feedback;
pub mod form;
pub mod letter;
pub mod post;
pub mod scrub;
pub mod searches;
pub mod usage;
pub mod webhook;
pub mod work_email;
