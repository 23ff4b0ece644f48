//! Registered clients.

use sea_orm_migration::prelude::*;

migration!(up: UP, down: DOWN);

const UP: [&str; 2] = [
    "CREATE TABLE clients (
        id {uuid} PRIMARY KEY NOT NULL,
        client_id TEXT NOT NULL UNIQUE,
        metadata {json} NOT NULL,
        created_at BIGINT NOT NULL,
        last_used_at BIGINT NOT NULL
    )",
    "CREATE INDEX clients_last_used_at ON clients (last_used_at)",
];

const DOWN: [&str; 1] = ["DROP TABLE clients"];
