//! Identical software is registered once.
//!
//! `metadata_digest` is the SHA-256 of what a client registered, without the ports of its loopback
//! redirects, which native clients choose anew at each start. It is empty in rows that are older
//! than the column: they stay, and nothing folds into them.

use sea_orm_migration::prelude::*;

migration!(up: UP, down: DOWN);

const UP: [&str; 2] = [
    "ALTER TABLE clients ADD COLUMN metadata_digest {blob}",
    "CREATE UNIQUE INDEX clients_metadata_digest ON clients (metadata_digest)",
];

const DOWN: [&str; 2] =
    ["DROP INDEX clients_metadata_digest", "ALTER TABLE clients DROP COLUMN metadata_digest"];
