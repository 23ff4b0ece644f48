//! People who are signed in with their browser: to their account page, or to a documentation site.
//!
//! A sign-in under way travels sealed in a cookie; its row is written when the browser comes back
//! with it, and says only that it was used, so that nobody fills a table by asking. Of a session
//! the cookie's values stand as SHA-256 hashes: the one that counts, and the one before it, which
//! counts until the browser has shown its successor.

use sea_orm_migration::prelude::*;

migration!(up: UP, down: DOWN);

const UP: [&str; 5] = [
    "CREATE TABLE browser_logins (
        state_hash {blob} PRIMARY KEY NOT NULL,
        consumed_at BIGINT NOT NULL,
        expires_at BIGINT NOT NULL
    )",
    "CREATE INDEX browser_logins_expires_at ON browser_logins (expires_at)",
    "CREATE TABLE browser_sessions (
        id {uuid} PRIMARY KEY NOT NULL,
        user_id {uuid} NOT NULL REFERENCES users (id) ON DELETE CASCADE,
        value_hash {blob} NOT NULL UNIQUE,
        previous_hash {blob} UNIQUE,
        created_at BIGINT NOT NULL,
        renewed_at BIGINT NOT NULL,
        confirmed_at BIGINT,
        expires_at BIGINT NOT NULL,
        ends_at BIGINT NOT NULL,
        CHECK (expires_at <= ends_at),
        CHECK (confirmed_at IS NULL OR previous_hash IS NOT NULL)
    )",
    "CREATE INDEX browser_sessions_user_id ON browser_sessions (user_id)",
    "CREATE INDEX browser_sessions_expires_at ON browser_sessions (expires_at)",
];

const DOWN: [&str; 2] = ["DROP TABLE browser_sessions", "DROP TABLE browser_logins"];
