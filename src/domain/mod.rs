//! The rules. Plain values in, decisions out.
//!
//! Never here: IO, a clock, chance, `async`, logging, words of HTTP or SQL.

pub mod access_token;
pub mod administrators;
pub mod attempt;
pub mod audit;
pub mod authorization_code;
pub mod authorization_request;
pub mod browser_session;
pub mod claimed_name;
pub mod client;
pub mod client_claim;
pub mod consent;
pub mod day;
pub mod email_domain;
pub mod enforcement;
pub mod gap;
pub mod key_rotation;
pub mod latency;
pub mod mail_provider;
pub mod metadata_document;
pub mod organization;
pub mod pkce;
pub mod product;
pub mod redirect_uri;
pub mod refresh_token;
pub mod refusal;
pub mod replay;
pub mod resource;
pub mod return_to;
pub mod scope;
pub mod token_request;
pub mod upstream_login;
