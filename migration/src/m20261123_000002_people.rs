//! People, as their provider knows them, and what they agreed to.
//!
//! A profile is sealed; only the domain of its address stands in clear.

use sea_orm_migration::prelude::*;

migration!(up: UP, down: DOWN);

const UP: [&str; 3] = [
    "CREATE TABLE users (
        id {uuid} PRIMARY KEY NOT NULL,
        upstream_issuer TEXT NOT NULL,
        upstream_subject TEXT NOT NULL,
        profile_sealed {blob} NOT NULL,
        email_domain TEXT,
        created_at BIGINT NOT NULL,
        last_login_at BIGINT NOT NULL,
        UNIQUE (upstream_issuer, upstream_subject)
    )",
    "CREATE TABLE consents (
        id {uuid} PRIMARY KEY NOT NULL,
        user_id {uuid} NOT NULL REFERENCES users (id) ON DELETE CASCADE,
        client_id TEXT NOT NULL REFERENCES clients (client_id) ON DELETE CASCADE,
        redirect_uri TEXT NOT NULL,
        scope TEXT NOT NULL,
        granted_at BIGINT NOT NULL,
        UNIQUE (user_id, client_id, redirect_uri, scope)
    )",
    "CREATE INDEX consents_client_id ON consents (client_id)",
];

const DOWN: [&str; 2] = ["DROP TABLE consents", "DROP TABLE users"];
