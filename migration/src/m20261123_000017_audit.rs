//! Who did what, in rows that are only added.
//!
//! The database itself refuses what must not happen to them, by triggers, which both databases
//! have: a row is not changed, but that a person's identifier may be taken out of it when they are
//! erased; and a row is not deleted that is younger than `audit_horizon` says. The clean-up pass
//! moves that horizon before it deletes, and nothing else does. On Postgres the table cannot be
//! emptied by `TRUNCATE` either. Whoever owns the tables can drop the triggers; no statement of
//! ours does.
//!
//! No column refers to another table: what a row tells of may be gone. Rows are found by their
//! identifiers, which are in the order of their making, so no index stands on the time.

use sea_orm_migration::prelude::*;

/// See the module.
#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        crate::run(manager, &TABLES).await?;
        match manager.get_database_backend() {
            sea_orm::DbBackend::Postgres => crate::run(manager, &POSTGRES_TRIGGERS).await,
            _ => crate::run(manager, &SQLITE_TRIGGERS).await,
        }
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        crate::run(manager, &DOWN).await?;
        match manager.get_database_backend() {
            sea_orm::DbBackend::Postgres => crate::run(manager, &POSTGRES_DOWN).await,
            _ => Ok(()),
        }
    }
}

const TABLES: [&str; 6] = [
    "CREATE TABLE audit (
        id {uuid} PRIMARY KEY NOT NULL,
        happened_at BIGINT NOT NULL,
        kind TEXT NOT NULL,
        actor TEXT NOT NULL CHECK (actor IN ('person', 'client', 'token', 'command', 'server')),
        actor_user_id {uuid},
        actor_name TEXT,
        user_id {uuid},
        client_id TEXT,
        grant_id {uuid},
        reason TEXT,
        reference TEXT
    )",
    "CREATE INDEX audit_kind ON audit (kind, id)",
    "CREATE INDEX audit_user_id ON audit (user_id, id) WHERE user_id IS NOT NULL",
    "CREATE INDEX audit_actor_user_id ON audit (actor_user_id, id)
        WHERE actor_user_id IS NOT NULL",
    "CREATE TABLE audit_horizon (
        id INTEGER PRIMARY KEY NOT NULL CHECK (id = 1),
        passed BIGINT NOT NULL
    )",
    "INSERT INTO audit_horizon (id, passed) VALUES (1, -1)",
];

/// The same words for both databases: what of a row is not as it was.
macro_rules! is_changed {
    () => {
        "NEW.id IS DISTINCT FROM OLD.id
         OR NEW.happened_at IS DISTINCT FROM OLD.happened_at
         OR NEW.kind IS DISTINCT FROM OLD.kind
         OR NEW.actor IS DISTINCT FROM OLD.actor
         OR NEW.actor_name IS DISTINCT FROM OLD.actor_name
         OR NEW.client_id IS DISTINCT FROM OLD.client_id
         OR NEW.grant_id IS DISTINCT FROM OLD.grant_id
         OR NEW.reason IS DISTINCT FROM OLD.reason
         OR NEW.reference IS DISTINCT FROM OLD.reference
         OR (NEW.user_id IS NOT NULL AND NEW.user_id IS DISTINCT FROM OLD.user_id)
         OR (NEW.actor_user_id IS NOT NULL
             AND NEW.actor_user_id IS DISTINCT FROM OLD.actor_user_id)"
    };
}

const SQLITE_TRIGGERS: [&str; 2] = [
    concat!(
        "CREATE TRIGGER audit_is_not_changed BEFORE UPDATE ON audit WHEN ",
        is_changed!(),
        " BEGIN SELECT RAISE(ABORT, 'audit: a row is not changed'); END"
    ),
    "CREATE TRIGGER audit_is_kept BEFORE DELETE ON audit
        WHEN OLD.happened_at > COALESCE((SELECT passed FROM audit_horizon), -1)
        BEGIN SELECT RAISE(ABORT, 'audit: a row is kept'); END",
];

const POSTGRES_TRIGGERS: [&str; 5] = [
    "CREATE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
     BEGIN
         RAISE EXCEPTION 'audit: a row is not changed' USING ERRCODE = 'check_violation';
     END $$",
    "CREATE FUNCTION audit_keep() RETURNS trigger LANGUAGE plpgsql AS $$
     BEGIN
         IF OLD.happened_at > COALESCE((SELECT passed FROM audit_horizon), -1) THEN
             RAISE EXCEPTION 'audit: a row is kept' USING ERRCODE = 'check_violation';
         END IF;
         RETURN OLD;
     END $$",
    concat!(
        "CREATE TRIGGER audit_is_not_changed BEFORE UPDATE ON audit FOR EACH ROW WHEN (",
        is_changed!(),
        ") EXECUTE FUNCTION audit_refuse()"
    ),
    "CREATE TRIGGER audit_is_kept BEFORE DELETE ON audit
        FOR EACH ROW EXECUTE FUNCTION audit_keep()",
    "CREATE TRIGGER audit_is_not_emptied BEFORE TRUNCATE ON audit
        FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse()",
];

const DOWN: [&str; 2] = ["DROP TABLE audit", "DROP TABLE audit_horizon"];

const POSTGRES_DOWN: [&str; 2] = ["DROP FUNCTION audit_refuse()", "DROP FUNCTION audit_keep()"];
