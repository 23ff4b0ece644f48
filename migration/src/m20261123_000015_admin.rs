//! Who administers: browsers in which somebody is signed in to the admin pages, and the tokens of
//! programs.
//!
//! Of both only hashes are kept. A session ends when it is not used (`expires_at`, which moves), in
//! any case at `ends_at`, and with its person. A token that is revoked stays, so that its name is
//! not given to another and the log stays readable.
//!
//! Whoever lists grants, feedback and deliveries pages through them by their identifiers; the two
//! indexes here serve the filters of those lists.

use sea_orm_migration::prelude::*;

migration!(up: UP, down: DOWN);

const UP: [&str; 7] = [
    "CREATE TABLE admin_sessions (
        id {uuid} PRIMARY KEY NOT NULL,
        user_id {uuid} NOT NULL REFERENCES users (id) ON DELETE CASCADE,
        value_hash {blob} NOT NULL UNIQUE,
        created_at BIGINT NOT NULL,
        used_at BIGINT NOT NULL,
        expires_at BIGINT NOT NULL,
        ends_at BIGINT NOT NULL,
        CHECK (expires_at <= ends_at)
    )",
    "CREATE INDEX admin_sessions_user_id ON admin_sessions (user_id)",
    "CREATE INDEX admin_sessions_expires_at ON admin_sessions (expires_at)",
    "CREATE TABLE admin_tokens (
        id {uuid} PRIMARY KEY NOT NULL,
        name TEXT NOT NULL UNIQUE,
        token_hash {blob} NOT NULL UNIQUE,
        scope TEXT NOT NULL CHECK (scope IN ('read', 'write')),
        created_at BIGINT NOT NULL,
        expires_at BIGINT,
        used_at BIGINT,
        revoked_at BIGINT
    )",
    "CREATE INDEX outbox_destination ON outbox (destination, id)",
    "CREATE INDEX clients_created_at ON clients (created_at)",
    "CREATE INDEX users_created_at ON users (created_at)",
];

const DOWN: [&str; 5] = [
    "DROP INDEX users_created_at",
    "DROP INDEX clients_created_at",
    "DROP INDEX outbox_destination",
    "DROP TABLE admin_tokens",
    "DROP TABLE admin_sessions",
];
