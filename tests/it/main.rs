//! The integration suite: the real house in process, real databases, real HTTP, a provider double.
//!
//! Every story runs on SQLite and on Postgres (`on_both!`). `tests/README.md` maps requirements to
//! stories.

#![allow(clippy::unchecked_time_subtraction, reason = "stories subtract constants")]

mod support;

mod account;
mod admin_access;
mod admin_api;
mod admin_lists;
mod admin_rights;
mod admission;
mod attempt_causes;
mod attempts;
mod audit;
mod authorization;
mod bad_input;
mod bloat;
mod browser_sessions;
mod callback;
mod clock_steps;
mod closed_clients;
mod commands;
mod consent;
mod database_faults;
mod delivery;
mod discovery;
mod disk_full;
mod doctor;
mod enforcement;
mod enforcement_reports;
mod erasures;
mod feedback;
mod first_run;
mod gaps;
mod health;
mod key_rotation;
mod limit_windows;
mod limits;
mod mcp_client;
mod metadata_documents;
mod metrics;
mod model;
mod operator_users;
mod organizations;
mod outages;
mod outbox;
mod own_data;
mod pages;
mod pages_path;
mod paused;
mod probe;
mod processes;
mod provider_faults;
mod refresh;
mod registration;
mod remote_faults;
mod remotes;
mod resealing;
mod retention;
mod revocation;
mod rolling;
mod same_origin;
mod schema;
mod secrets;
mod server_card;
mod sinks;
mod site_login;
mod token;
mod told_calls;
mod traces;
mod transfer;
mod turns;
mod usage;
mod usage_totals;
