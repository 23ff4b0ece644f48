//! Who used what, in counts, and what was searched for.
//!
//! `usage_by_person` is added to while a day lasts. `person` names whom a count belongs to, and is
//! all zeros for calls in nobody's name, so that one key serves both; `user_id` is the same where
//! there is a person, and takes the row along when the person goes. `organization` is a key such as
//! `domain:example.com`, empty where none is known; `tool` is empty for what was turned away before
//! it named one. `day` counts days since 1 January 1970 in UTC. `micros` is how long the calls took
//! together, and `took_0` to `took_9` is how many of them fell into each bucket of
//! `src/domain/latency.rs`.
//!
//! `usage_by_organization` is what is left of days that are over, and made anew from the rows above
//! whenever something is added to such a day. `usage_days` is the guard: a day with `rolled_up_at`
//! is all in there, and whoever adds to a day that is over takes the mark away again in the same
//! transaction.
//!
//! `usage_writers` tells which batch a replica wrote last, so that one whose commit was not
//! answered is not added twice.
//!
//! `searches` holds what people looked for (`kind` is `query`) and what they said they wanted
//! (`context`), both sealed and only while the settings say so. The two of one call share an `id`.
//! `results` is empty for tools that search nothing. `top_score` is the score of the best result
//! and `terms` the number of words it was made of, since scores add up over words.
//! `is_reformulated` says that the same person asked in other words soon after.

use sea_orm_migration::prelude::*;

migration!(up: UP, down: DOWN);

const UP: [&str; 9] = [
    "CREATE TABLE usage_by_person (
        day BIGINT NOT NULL,
        organization TEXT NOT NULL,
        person {uuid} NOT NULL,
        product TEXT NOT NULL,
        tool TEXT NOT NULL,
        revision TEXT NOT NULL,
        outcome TEXT NOT NULL,
        user_id {uuid} REFERENCES users (id) ON DELETE CASCADE,
        calls BIGINT NOT NULL CHECK (calls > 0),
        micros BIGINT NOT NULL CHECK (micros >= 0),
        took_0 BIGINT NOT NULL, took_1 BIGINT NOT NULL, took_2 BIGINT NOT NULL,
        took_3 BIGINT NOT NULL, took_4 BIGINT NOT NULL, took_5 BIGINT NOT NULL,
        took_6 BIGINT NOT NULL, took_7 BIGINT NOT NULL, took_8 BIGINT NOT NULL,
        took_9 BIGINT NOT NULL,
        PRIMARY KEY (day, organization, person, product, tool, revision, outcome),
        CHECK (user_id IS NULL OR user_id = person),
        CHECK (took_0 + took_1 + took_2 + took_3 + took_4 + took_5 + took_6 + took_7 + took_8
            + took_9 = calls)
    )",
    "CREATE INDEX usage_by_person_user_id ON usage_by_person (user_id)",
    "CREATE TABLE usage_by_organization (
        day BIGINT NOT NULL,
        organization TEXT NOT NULL,
        product TEXT NOT NULL,
        tool TEXT NOT NULL,
        revision TEXT NOT NULL,
        outcome TEXT NOT NULL,
        calls BIGINT NOT NULL CHECK (calls > 0),
        people BIGINT NOT NULL CHECK (people >= 0),
        micros BIGINT NOT NULL CHECK (micros >= 0),
        took_0 BIGINT NOT NULL, took_1 BIGINT NOT NULL, took_2 BIGINT NOT NULL,
        took_3 BIGINT NOT NULL, took_4 BIGINT NOT NULL, took_5 BIGINT NOT NULL,
        took_6 BIGINT NOT NULL, took_7 BIGINT NOT NULL, took_8 BIGINT NOT NULL,
        took_9 BIGINT NOT NULL,
        PRIMARY KEY (day, organization, product, tool, revision, outcome)
    )",
    "CREATE TABLE usage_days (
        day BIGINT PRIMARY KEY NOT NULL,
        rolled_up_at BIGINT
    )",
    "CREATE TABLE usage_writers (
        writer {uuid} PRIMARY KEY NOT NULL,
        batch BIGINT NOT NULL CHECK (batch > 0),
        written_at BIGINT NOT NULL
    )",
    "CREATE INDEX usage_writers_written_at ON usage_writers (written_at)",
    "CREATE TABLE searches (
        id {uuid} NOT NULL,
        kind TEXT NOT NULL CHECK (kind IN ('query', 'context')),
        asked_at BIGINT NOT NULL,
        user_id {uuid} REFERENCES users (id) ON DELETE CASCADE,
        organization TEXT NOT NULL,
        tool TEXT NOT NULL,
        text_sealed {blob} NOT NULL,
        results BIGINT CHECK (results >= 0),
        top_score DOUBLE PRECISION,
        terms BIGINT NOT NULL CHECK (terms >= 0),
        is_reformulated BOOLEAN NOT NULL,
        PRIMARY KEY (id, kind)
    )",
    "CREATE INDEX searches_asked_at ON searches (kind, asked_at)",
    "CREATE INDEX searches_user_id ON searches (user_id)",
];

const DOWN: [&str; 5] = [
    "DROP TABLE searches",
    "DROP TABLE usage_writers",
    "DROP TABLE usage_days",
    "DROP TABLE usage_by_organization",
    "DROP TABLE usage_by_person",
];
