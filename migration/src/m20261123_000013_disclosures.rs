//! Who was told what of a person, what a sink has of them, and to whom they object.
//!
//! `disclosures` holds the names of fields, never their values; `occasion` tells two of one
//! receiver apart, so that a delivery that is repeated is written once, and what happens all day
//! (calls of tools) once a day. `sink_people` holds the name under which a sink knows a person, and
//! sealed the identifiers it was told, so that it can be told to forget them, whatever they are by
//! then. All of it goes with the person.
//!
//! `feedback.delivered_at` outlives the row of the outbox that told of it.

use sea_orm_migration::prelude::*;

migration!(up: UP, down: DOWN);

const UP: [&str; 8] = [
    "CREATE TABLE disclosures (
        id {uuid} PRIMARY KEY NOT NULL,
        user_id {uuid} NOT NULL REFERENCES users (id) ON DELETE CASCADE,
        receiver TEXT NOT NULL,
        event TEXT NOT NULL,
        occasion TEXT NOT NULL,
        fields TEXT NOT NULL,
        purpose TEXT NOT NULL,
        disclosed_at BIGINT NOT NULL,
        UNIQUE (user_id, receiver, occasion)
    )",
    "CREATE INDEX disclosures_disclosed_at ON disclosures (disclosed_at)",
    "CREATE TABLE sink_people (
        user_id {uuid} NOT NULL REFERENCES users (id) ON DELETE CASCADE,
        destination TEXT NOT NULL,
        pseudonym {uuid} NOT NULL,
        told_sealed {blob},
        PRIMARY KEY (user_id, destination),
        UNIQUE (pseudonym)
    )",
    "CREATE INDEX sink_people_seal_mark ON sink_people (substr(told_sealed, 1, 5))",
    "CREATE TABLE sink_opt_outs (
        user_id {uuid} NOT NULL REFERENCES users (id) ON DELETE CASCADE,
        destination TEXT NOT NULL,
        opted_out_at BIGINT NOT NULL,
        PRIMARY KEY (user_id, destination)
    )",
    "ALTER TABLE feedback ADD COLUMN delivered_at BIGINT",
    "CREATE INDEX outbox_delivered_at ON outbox (delivered_at) WHERE delivered_at IS NOT NULL",
    "CREATE INDEX users_last_login_at ON users (last_login_at)",
];

const DOWN: [&str; 6] = [
    "DROP INDEX users_last_login_at",
    "DROP INDEX outbox_delivered_at",
    "ALTER TABLE feedback DROP COLUMN delivered_at",
    "DROP TABLE sink_opt_outs",
    "DROP TABLE sink_people",
    "DROP TABLE disclosures",
];
