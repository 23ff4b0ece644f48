//! How the tables came to be. See `migration/README.md` for the rules.

use sea_orm_migration::prelude::*;

/// A migration that runs plain statements. Its name is that of the file that says so.
macro_rules! migration {
    (up: $up:expr, down: $down:expr) => {
        /// See the module.
        #[derive(DeriveMigrationName)]
        pub struct Migration;

        #[async_trait::async_trait]
        impl MigrationTrait for Migration {
            async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
                crate::run(manager, &$up).await
            }

            async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
                crate::run(manager, &$down).await
            }
        }
    };
}

mod m20261123_000001_clients;
mod m20261123_000002_people;
mod m20261123_000003_authorization;
mod m20261123_000004_grants;
mod m20261123_000005_keys;
mod m20261123_000006_feedback;
mod m20261123_000007_client_digests;
mod m20261123_000008_limit_windows;
mod m20261123_000009_browser_sessions;
mod m20261123_000010_outbox;
mod m20261123_000011_organizations;
mod m20261123_000012_usage;
mod m20261123_000013_disclosures;
mod m20261123_000014_enforcement;
mod m20261123_000015_admin;
mod m20261123_000016_upkeep;
mod m20261123_000017_audit;
mod m20261123_000018_attempts;

/// All migrations, in order.
pub struct Migrator;

impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m20261123_000001_clients::Migration),
            Box::new(m20261123_000002_people::Migration),
            Box::new(m20261123_000003_authorization::Migration),
            Box::new(m20261123_000004_grants::Migration),
            Box::new(m20261123_000005_keys::Migration),
            Box::new(m20261123_000006_feedback::Migration),
            Box::new(m20261123_000007_client_digests::Migration),
            Box::new(m20261123_000008_limit_windows::Migration),
            Box::new(m20261123_000009_browser_sessions::Migration),
            Box::new(m20261123_000010_outbox::Migration),
            Box::new(m20261123_000011_organizations::Migration),
            Box::new(m20261123_000012_usage::Migration),
            Box::new(m20261123_000013_disclosures::Migration),
            Box::new(m20261123_000014_enforcement::Migration),
            Box::new(m20261123_000015_admin::Migration),
            Box::new(m20261123_000016_upkeep::Migration),
            Box::new(m20261123_000017_audit::Migration),
            Box::new(m20261123_000018_attempts::Migration),
        ]
    }
}

/// Creates and drops tables by plain statements.
///
/// One text serves both databases: the types used here (`BIGINT`, `TEXT`, `INTEGER`) are the same
/// in each, and where they differ ([`types`]) a word is filled in.
async fn run(manager: &SchemaManager<'_>, statements: &[&str]) -> Result<(), DbErr> {
    let is_postgres = manager.get_database_backend() == sea_orm::DbBackend::Postgres;
    let (uuid, blob, json) = types(is_postgres);
    for statement in statements {
        let sql = statement.replace("{uuid}", uuid).replace("{blob}", blob).replace("{json}", json);
        manager.get_connection().execute_unprepared(&sql).await?;
    }
    Ok(())
}

const fn types(is_postgres: bool) -> (&'static str, &'static str, &'static str) {
    if is_postgres { ("UUID", "BYTEA", "JSONB") } else { ("BLOB", "BLOB", "TEXT") }
}
