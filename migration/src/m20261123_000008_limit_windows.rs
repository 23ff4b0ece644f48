//! What all replicas together have counted under a limit.
//!
//! A row is one caller's window under one limit. `key_hash` is an HMAC under the server secret of
//! the limit and whom it counts, so that no person, client or address can be read or guessed here.
//! `used` is what the replicas have settled since `began_at`. The window is over earlier than
//! `expires_at`, which is when no replica can count on in an older one any more and the row goes.

use sea_orm_migration::prelude::*;

migration!(up: UP, down: DOWN);

const UP: [&str; 2] = [
    "CREATE TABLE limit_windows (
        key_hash {blob} PRIMARY KEY NOT NULL CHECK (length(key_hash) = 32),
        limit_name TEXT NOT NULL,
        began_at BIGINT NOT NULL,
        used BIGINT NOT NULL CHECK (used > 0),
        expires_at BIGINT NOT NULL CHECK (expires_at > began_at)
    )",
    "CREATE INDEX limit_windows_expires_at ON limit_windows (expires_at)",
];

const DOWN: [&str; 1] = ["DROP TABLE limit_windows"];
