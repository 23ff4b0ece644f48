//! What people say of the documentation; their words are sealed.

use sea_orm_migration::prelude::*;

migration!(up: UP, down: DOWN);

const UP: [&str; 2] = [
    "CREATE TABLE feedback (
        id {uuid} PRIMARY KEY NOT NULL,
        user_id {uuid} NOT NULL REFERENCES users (id) ON DELETE CASCADE,
        client_id TEXT NOT NULL,
        category TEXT NOT NULL,
        page_url TEXT,
        text_sealed {blob} NOT NULL,
        created_at BIGINT NOT NULL,
        CHECK (category IN ('bug', 'documentation_gap', 'feature_request', 'other'))
    )",
    "CREATE INDEX feedback_user_id ON feedback (user_id)",
];

const DOWN: [&str; 1] = ["DROP TABLE feedback"];
