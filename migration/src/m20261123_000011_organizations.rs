//! Which organization each person belongs to, and belonged to; how a person is found by their
//! address, and what a rotated secret still has to seal anew.
//!
//! `organizations.key` is what an organization is over all sign-ins: `domain:example.com`, or
//! `provider:` with the issuer and its `org_id`. A membership lasts from `began_at` to `ended_at`;
//! the one that has not ended is what holds now, and there is one for each person. Whoever has no
//! organization that is known has a membership too, of none: `source` says why. So a person
//! without any has not been looked at since this table is there.
//!
//! `users.email_hash` is an HMAC of the address under a key derived from the `secret` that
//! `profile_sealed` is sealed under: both are made together. Sealed values begin with a mark of
//! their secret; by the indexes on it those are found that were made under another one.

use sea_orm_migration::prelude::*;

migration!(up: UP, down: DOWN);

const UP: [&str; 11] = [
    "CREATE TABLE organizations (
        id {uuid} PRIMARY KEY NOT NULL,
        key TEXT NOT NULL UNIQUE,
        name TEXT NOT NULL,
        domain TEXT,
        created_at BIGINT NOT NULL
    )",
    "CREATE INDEX organizations_domain ON organizations (domain)",
    "CREATE TABLE memberships (
        id {uuid} PRIMARY KEY NOT NULL,
        user_id {uuid} NOT NULL REFERENCES users (id) ON DELETE CASCADE,
        organization_id {uuid} REFERENCES organizations (id),
        source TEXT NOT NULL,
        confidence TEXT,
        began_at BIGINT NOT NULL,
        ended_at BIGINT,
        CHECK (source IN ('provider', 'email_domain', 'free_mail', 'disposable', 'unknown')),
        CHECK (confidence IN ('low', 'medium', 'high')),
        CHECK ((organization_id IS NULL) = (source IN ('free_mail', 'disposable', 'unknown'))),
        CHECK ((organization_id IS NULL) = (confidence IS NULL)),
        CHECK (ended_at >= began_at)
    )",
    "CREATE UNIQUE INDEX memberships_open ON memberships (user_id) WHERE ended_at IS NULL",
    "CREATE INDEX memberships_user_id ON memberships (user_id)",
    "CREATE INDEX memberships_organization_id ON memberships (organization_id)",
    "ALTER TABLE users ADD COLUMN email_hash {blob}",
    "CREATE INDEX users_email_hash ON users (email_hash)",
    "CREATE INDEX users_seal_mark ON users (substr(profile_sealed, 1, 5))",
    "CREATE INDEX feedback_seal_mark ON feedback (substr(text_sealed, 1, 5))",
    "CREATE INDEX outbox_seal_mark ON outbox (substr(payload_sealed, 1, 5))",
];

const DOWN: [&str; 7] = [
    "DROP INDEX outbox_seal_mark",
    "DROP INDEX feedback_seal_mark",
    "DROP INDEX users_seal_mark",
    "DROP INDEX users_email_hash",
    "ALTER TABLE users DROP COLUMN email_hash",
    "DROP TABLE memberships",
    "DROP TABLE organizations",
];
