//! From a person's decision on a client's request to the code it gets. Each row is used once.
//!
//! A request is written when it is decided; until then it travels sealed in the consent form, so
//! that nobody fills a table by asking. Upstream states and codes stand as SHA-256 hashes; the
//! client's own `state` and our nonce and verifier are sealed.

use sea_orm_migration::prelude::*;

migration!(up: UP, down: DOWN);

const UP: [&str; 9] = [
    "CREATE TABLE authorization_requests (
        id {uuid} PRIMARY KEY NOT NULL,
        client_id TEXT NOT NULL REFERENCES clients (client_id) ON DELETE CASCADE,
        redirect_uri TEXT NOT NULL,
        client_state_sealed {blob},
        scope TEXT NOT NULL,
        code_challenge TEXT NOT NULL,
        expires_at BIGINT NOT NULL,
        decided_at BIGINT NOT NULL,
        decision TEXT NOT NULL,
        CHECK (decision IN ('approved', 'denied'))
    )",
    "CREATE INDEX authorization_requests_expires_at ON authorization_requests (expires_at)",
    "CREATE TABLE upstream_logins (
        id {uuid} PRIMARY KEY NOT NULL,
        authorization_request_id {uuid} NOT NULL UNIQUE
            REFERENCES authorization_requests (id) ON DELETE CASCADE,
        state_hash {blob} NOT NULL UNIQUE,
        upstream_sealed {blob} NOT NULL,
        remembered_user_id {uuid} REFERENCES users (id) ON DELETE CASCADE,
        created_at BIGINT NOT NULL,
        expires_at BIGINT NOT NULL,
        consumed_at BIGINT
    )",
    "CREATE INDEX authorization_requests_client_id ON authorization_requests (client_id)",
    "CREATE INDEX upstream_logins_remembered_user_id ON upstream_logins (remembered_user_id)",
    "CREATE TABLE authorization_codes (
        id {uuid} PRIMARY KEY NOT NULL,
        code_hash {blob} NOT NULL UNIQUE,
        authorization_request_id {uuid} NOT NULL UNIQUE,
        client_id TEXT NOT NULL REFERENCES clients (client_id) ON DELETE CASCADE,
        user_id {uuid} NOT NULL REFERENCES users (id) ON DELETE CASCADE,
        redirect_uri TEXT NOT NULL,
        scope TEXT NOT NULL,
        code_challenge TEXT NOT NULL,
        created_at BIGINT NOT NULL,
        expires_at BIGINT NOT NULL,
        consumed_at BIGINT,
        grant_id {uuid},
        CHECK ((consumed_at IS NULL) = (grant_id IS NULL))
    )",
    "CREATE INDEX authorization_codes_expires_at ON authorization_codes (expires_at)",
    "CREATE INDEX authorization_codes_client_id ON authorization_codes (client_id)",
    "CREATE INDEX authorization_codes_user_id ON authorization_codes (user_id)",
];

const DOWN: [&str; 3] = [
    "DROP TABLE authorization_codes",
    "DROP TABLE upstream_logins",
    "DROP TABLE authorization_requests",
];
