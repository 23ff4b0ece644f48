//! One file per table, no behaviour.

pub mod admin_sessions;
pub mod admin_tokens;
pub mod audit;
pub mod authorization_codes;
pub mod authorization_requests;
pub mod browser_logins;
pub mod browser_sessions;
pub mod clients;
pub mod consents;
pub mod disclosures;
pub mod feedback;
pub mod grants;
pub mod limit_windows;
pub mod memberships;
pub mod organizations;
pub mod outbox;
pub mod refresh_tokens;
pub mod signing_keys;
pub mod sink_opt_outs;
pub mod sink_people;
pub mod upstream_logins;
pub mod users;
