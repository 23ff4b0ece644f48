//! Attempts to sign in, for whoever has to say why one came to nothing.
//!
//! A row is called as the authorization request is, which has no row of its own before it is
//! decided; so its identifier tells when it began. `reference` is what people are shown of it.
//! `steps` holds a line for each step: milliseconds, a word, a short detail. Lines are only added,
//! in one statement, so that replicas can add to one row without reading it. A row of an attempt
//! may be begun by any of its steps, so all that describes the program may be missing.
//!
//! `used_at` is when its grant was first used. A person who is erased is taken out of it. Who has
//! not signed in counts against a bound of its own, which is what the last index is for.

use sea_orm_migration::prelude::*;

migration!(up: UP, down: DOWN);

const UP: [&str; 5] = [
    "CREATE TABLE attempts (
        id {uuid} PRIMARY KEY NOT NULL,
        reference TEXT NOT NULL,
        client_id TEXT,
        client_name TEXT,
        client_kind TEXT CHECK (client_kind IN ('registered', 'document', 'unknown')),
        user_id {uuid} REFERENCES users (id) ON DELETE SET NULL,
        grant_id {uuid},
        used_at BIGINT,
        steps TEXT NOT NULL
    )",
    "CREATE INDEX attempts_reference ON attempts (reference, id)",
    "CREATE INDEX attempts_grant_id ON attempts (grant_id) WHERE grant_id IS NOT NULL",
    "CREATE INDEX attempts_user_id ON attempts (user_id) WHERE user_id IS NOT NULL",
    "CREATE INDEX attempts_of_nobody ON attempts (id) WHERE user_id IS NULL",
];

const DOWN: [&str; 1] = ["DROP TABLE attempts"];
