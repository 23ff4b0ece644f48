//! Signing keys; the private half is sealed.

use sea_orm_migration::prelude::*;

migration!(up: UP, down: DOWN);

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
