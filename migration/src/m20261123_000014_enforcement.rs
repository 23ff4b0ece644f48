//! Who still comes without a token, and what became of those who were asked to sign in.
//!
//! `anonymous_callers` is added to while a day lasts, in grace only. A caller is a keyed hash of
//! the address (of IPv6 the /64), which also decides whether they belong to the share that is
//! asked; `network` is what a person may be shown of it, an IPv4 /24 or an IPv6 /48. `tool` is
//! empty for requests that call none, `method` for requests that were not read. Where callers could
//! not be kept apart, the hash is all zeros and `network` empty. `day` counts days since 1 January
//! 1970 in UTC.
//!
//! `challenged_callers` has a row for a caller and half an hour in which they were asked: when that
//! was first, and when somebody with a good token came from there within half an hour after it.
//!
//! `enforcement_halts` has one row without `resumed_at` while nobody is asked any more; the index
//! makes it one, whatever replicas judge at once.

use sea_orm_migration::prelude::*;

migration!(up: UP, down: DOWN);

const UP: [&str; 5] = [
    "CREATE TABLE anonymous_callers (
        day BIGINT NOT NULL,
        network_hash {blob} NOT NULL,
        network TEXT NOT NULL,
        product TEXT NOT NULL,
        tool TEXT NOT NULL,
        method TEXT NOT NULL,
        calls BIGINT NOT NULL CHECK (calls > 0),
        challenged BIGINT NOT NULL CHECK (challenged >= 0 AND challenged <= calls),
        PRIMARY KEY (day, network_hash, product, tool, method)
    )",
    "CREATE TABLE challenged_callers (
        network_hash {blob} NOT NULL,
        slot BIGINT NOT NULL,
        product TEXT NOT NULL,
        challenged_at BIGINT NOT NULL,
        returned_at BIGINT CHECK (returned_at >= challenged_at),
        PRIMARY KEY (network_hash, slot)
    )",
    "CREATE INDEX challenged_callers_challenged_at ON challenged_callers (challenged_at)",
    "CREATE TABLE enforcement_halts (
        id {uuid} PRIMARY KEY NOT NULL,
        halted_at BIGINT NOT NULL,
        challenged BIGINT NOT NULL CHECK (challenged >= 0),
        returned BIGINT NOT NULL CHECK (returned >= 0 AND returned <= challenged),
        resumed_at BIGINT
    )",
    "CREATE UNIQUE INDEX enforcement_halts_open ON enforcement_halts ((resumed_at IS NULL))
     WHERE resumed_at IS NULL",
];

const DOWN: [&str; 3] = [
    "DROP TABLE enforcement_halts",
    "DROP TABLE challenged_callers",
    "DROP TABLE anonymous_callers",
];
