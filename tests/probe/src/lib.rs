//! A race probe for OAuth 2.1 authorization servers: whether the five properties of
//! `docs/concurrency.md` hold, judged from outside. It works with any server that registers
//! clients dynamically (RFC 7591) and issues refresh tokens to public ones.
//!
//! - [`discovery`] reads what the server says of itself, [`door`] is the resource it guards.
//! - [`client`] registers and asks for tokens, alone or many times at once.
//! - [`sign_in`] waits for the person and the browser, [`person`] is who opens it.
//! - [`course`] does what is to be seen, in the order that needs the fewest sign-ins.
//! - [`observation`] is what was seen, [`properties`] judges it, [`report`] tells it.
//! - [`http`], [`secret`] and [`error`] serve them all.
//!
//! Never here: anything of the house itself. What the probe knows it learned over HTTP.

pub mod client;
pub mod course;
pub mod discovery;
pub mod door;
pub mod error;
pub mod http;
pub mod observation;
pub mod person;
pub mod properties;
pub mod report;
pub mod secret;
pub mod sign_in;
