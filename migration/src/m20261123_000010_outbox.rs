//! What has to be handed on to a receiver outside, and how far that has come.
//!
//! A row is written in the transaction that makes what it tells of, and goes to one `destination`.
//! `idempotency_key` is what the receiver knows the event by, over every attempt and replica: the
//! same event is queued for a destination once. `payload_sealed` is gone with the delivery, so that
//! nothing is kept twice. While a row waits, `next_attempt_at` says until when it is left alone:
//! who claims it moves that forward, and `attempts` tells the claims apart. Rows about a person go
//! with the person.
//!
//! `page_is_foreign` says of feedback whether its page address lies outside the documentation; it
//! is empty where nothing said what lies inside, and in rows that are older than the column.

use sea_orm_migration::prelude::*;

migration!(up: UP, down: DOWN);

const UP: [&str; 4] = [
    "CREATE TABLE outbox (
        id {uuid} PRIMARY KEY NOT NULL,
        destination TEXT NOT NULL,
        kind TEXT NOT NULL,
        idempotency_key {uuid} NOT NULL,
        user_id {uuid} REFERENCES users (id) ON DELETE CASCADE,
        payload_sealed {blob},
        created_at BIGINT NOT NULL,
        queued_at BIGINT NOT NULL,
        attempts BIGINT NOT NULL CHECK (attempts >= 0),
        next_attempt_at BIGINT,
        delivered_at BIGINT,
        failed_at BIGINT,
        last_failure TEXT,
        UNIQUE (destination, idempotency_key),
        CHECK (delivered_at IS NULL OR failed_at IS NULL),
        CHECK ((next_attempt_at IS NULL) = (delivered_at IS NOT NULL OR failed_at IS NOT NULL)),
        CHECK ((payload_sealed IS NULL) = (delivered_at IS NOT NULL)),
        CHECK (failed_at IS NULL OR last_failure IS NOT NULL)
    )",
    "CREATE INDEX outbox_due ON outbox (destination, next_attempt_at)
        WHERE next_attempt_at IS NOT NULL",
    "CREATE INDEX outbox_user_id ON outbox (user_id)",
    "ALTER TABLE feedback ADD COLUMN page_is_foreign BOOLEAN",
];

const DOWN: [&str; 2] = ["ALTER TABLE feedback DROP COLUMN page_is_foreign", "DROP TABLE outbox"];
