//! Grants and the families of refresh tokens below them.
//!
//! Two constraints carry the promise of the service: one grant per code, and one live refresh
//! token per grant.

use sea_orm_migration::prelude::*;

migration!(up: UP, down: DOWN);

const UP: [&str; 7] = [
    "CREATE TABLE grants (
        id {uuid} PRIMARY KEY NOT NULL,
        authorization_code_id {uuid} NOT NULL UNIQUE,
        user_id {uuid} NOT NULL REFERENCES users (id) ON DELETE CASCADE,
        client_id TEXT NOT NULL REFERENCES clients (client_id) ON DELETE CASCADE,
        scope TEXT NOT NULL,
        created_at BIGINT NOT NULL,
        expires_at BIGINT,
        revoked_at BIGINT,
        revoked_reason TEXT,
        CHECK ((revoked_at IS NULL) = (revoked_reason IS NULL))
    )",
    "CREATE INDEX grants_user_id ON grants (user_id)",
    "CREATE INDEX grants_client_id ON grants (client_id)",
    "CREATE INDEX grants_created_at ON grants (created_at)",
    "CREATE TABLE refresh_tokens (
        id {uuid} PRIMARY KEY NOT NULL,
        grant_id {uuid} NOT NULL REFERENCES grants (id) ON DELETE CASCADE,
        generation INTEGER NOT NULL,
        token_hash {blob} NOT NULL UNIQUE,
        created_at BIGINT NOT NULL,
        expires_at BIGINT NOT NULL,
        consumed_at BIGINT,
        UNIQUE (grant_id, generation)
    )",
    "CREATE INDEX refresh_tokens_expires_at ON refresh_tokens (expires_at)",
    "CREATE UNIQUE INDEX refresh_tokens_one_live_per_grant
        ON refresh_tokens (grant_id) WHERE consumed_at IS NULL",
];

const DOWN: [&str; 2] = ["DROP TABLE refresh_tokens", "DROP TABLE grants"];
