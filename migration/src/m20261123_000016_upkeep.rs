//! What keeps the house: whose turn it is, and which kept searches another secret sealed.
//!
//! A row of `leases` says that a replica does something until a moment, and that the others leave
//! it alone until then. One that is killed holds it no longer than that.

use sea_orm_migration::prelude::*;

migration!(up: UP, down: DOWN);

const UP: [&str; 2] = [
    "CREATE TABLE leases (
        name TEXT PRIMARY KEY NOT NULL,
        holder {uuid} NOT NULL,
        expires_at BIGINT NOT NULL
    )",
    "CREATE INDEX searches_seal_mark ON searches (kind, substr(text_sealed, 1, 5))",
];

const DOWN: [&str; 2] = ["DROP INDEX searches_seal_mark", "DROP TABLE leases"];
