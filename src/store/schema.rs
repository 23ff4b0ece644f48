//! Migrations, run by hand or at start, safe when several replicas start at once.

use gatehouse_migration::Migrator;
use sea_orm::{ConnectionTrait, DbBackend, Statement};
use sea_orm_migration::MigratorTrait;

use crate::store::{Store, StoreError, transact};

/// The key of the advisory lock: "gatehous" in ASCII.
const ADVISORY_LOCK: i64 = 0x6761_7465_686f_7573;

/// Applies what is missing, all or nothing.
///
/// On Postgres a transaction-scoped advisory lock makes replicas take turns; unlike a session
/// lock it also works through a transaction pooler. On SQLite the immediate transaction does.
pub async fn up(store: &Store) -> Result<(), StoreError> {
    let is_postgres = store.is_postgres();
    transact!(store, txn => {
        if is_postgres {
            lock(txn.unbounded()).await?;
        }
        Ok(Migrator::up(txn.unbounded(), None).await?)
    })
}

/// Takes back the newest migration.
pub async fn down(store: &Store) -> Result<(), StoreError> {
    let is_postgres = store.is_postgres();
    transact!(store, txn => {
        if is_postgres {
            lock(txn.unbounded()).await?;
        }
        Ok(Migrator::down(txn.unbounded(), Some(1)).await?)
    })
}

/// Each migration's name and whether it is applied, in order.
pub async fn status(store: &Store) -> Result<Vec<(String, bool)>, StoreError> {
    transact!(store, txn => {
        let migrations = Migrator::get_migration_with_status(txn.unbounded()).await?;
        Ok(migrations
            .iter()
            .map(|migration| {
                let applied = migration.status() == sea_orm_migration::MigrationStatus::Applied;
                (migration.name().to_owned(), applied)
            })
            .collect())
    })
}

/// The migrations that are still to be applied. Unlike [`status`] it writes nothing, so that it may
/// be asked all day. What a newer version applied beside ours does not matter to this one.
pub async fn pending(store: &Store) -> Result<Vec<String>, StoreError> {
    let reader = store.read();
    let sql = "SELECT version FROM seaql_migrations";
    let backend = reader.get_database_backend();
    let rows = reader.query_all_raw(Statement::from_string(backend, sql)).await?;
    let applied = rows.iter().map(|row| row.try_get("", "version"));
    let applied = applied.collect::<Result<Vec<String>, _>>()?;
    let ours = Migrator::migrations().into_iter().map(|it| it.name().to_owned());
    Ok(ours.filter(|name| !applied.contains(name)).collect())
}

/// Whether the migrations that are applied are those of this program, all of them and no others.
pub async fn is_current(store: &Store) -> Result<bool, StoreError> {
    let reader = store.read();
    let sql = "SELECT count(*) AS applied FROM seaql_migrations";
    let backend = reader.get_database_backend();
    let row = reader.query_one_raw(Statement::from_string(backend, sql)).await?;
    let applied: Option<i64> = row.map(|row| row.try_get("", "applied")).transpose()?;
    let ours = i64::try_from(Migrator::migrations().len()).ok();
    Ok(applied == ours && pending(store).await?.is_empty())
}

async fn lock(txn: &impl ConnectionTrait) -> Result<(), StoreError> {
    // Waiting for another replica's migration may take longer than one statement may.
    txn.execute_unprepared("SET LOCAL statement_timeout = 0").await?;
    let sql = format!("SELECT pg_advisory_xact_lock({ADVISORY_LOCK})");
    txn.query_one_raw(Statement::from_string(DbBackend::Postgres, sql)).await?;
    Ok(())
}
