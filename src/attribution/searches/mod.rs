//! What people look for and what they say they want, where the settings keep it; and the gaps that
//! it shows.
//!
//! 1. The tools hand [`recorder`] what was asked. It waits in memory, in a queue of bounded length.
//! 2. With the counts, what waits is written: scrubbed, sealed, with the person's organization, how
//!    much was found and how well it fits. Whoever asks again in other words within
//!    [`recent::ASKED_AGAIN_WITHIN`] shows that the first answer was none ([`recent`]).
//! 3. [`gaps`] reads it back, for the operator alone.
//!
//! Never here: what a tool answered; a text in a log, an error or a request to somebody else.

pub mod gaps;
pub mod recent;
pub mod recorder;
