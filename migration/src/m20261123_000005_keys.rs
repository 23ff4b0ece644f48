//! Signing keys; the private half is sealed.

use sea_orm_migration::prelude::*;

/// See the module.
#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        crate::run(manager, &UP).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        crate::run(manager, &DOWN).await
    }
}

const UP: [&str; 1] = ["CREATE TABLE signing_keys (
        kid TEXT PRIMARY KEY NOT NULL,
        algorithm TEXT NOT NULL,
        private_sealed {blob} NOT NULL,
        public_jwk {json} NOT NULL,
        created_at BIGINT NOT NULL,
        signs_from BIGINT NOT NULL,
        retired_at BIGINT
    )"];

const DOWN: [&str; 1] = ["DROP TABLE signing_keys"];
