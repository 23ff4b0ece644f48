//! Everything that is kept of a person, as JSON, for them and for nobody else.
//!
//! A table that holds something of a person is one entry of [`SECTIONS`]: its rows, what is read of
//! each, and how what is sealed is opened. What is no use to anybody but this server is left out:
//! hashes of tokens and sessions, nonces. A test compares the list with the tables there are.

use serde_json::{Map, Value, json};

use crate::calendar::rfc3339;
use crate::clock::Timestamp;
use crate::domain::audit::{Actor, AuditKind};
use crate::domain::day::Day;
use crate::id::UserId;
use crate::secret::Entropy;
use crate::server_secret::{Purpose, ServerSecret};
use crate::store::audit::{self, AuditRow};
use crate::store::exports::{self, Cell, ColumnKind, Extract};
use crate::store::{Db, Store, StoreError, erasures, sink_people, transact};

/// How a column is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    /// An identifier, as text.
    Id,
    /// As it is.
    Text,
    /// As it is.
    Number,
    /// As it is.
    Flag,
    /// As RFC 3339 writes it.
    Time,
    /// A number of a day, as RFC 3339 writes a date.
    Day,
    /// Opened, as the text it is.
    SealedText(Purpose),
    /// Opened, as the JSON it is.
    SealedJson(Purpose),
}

/// A part of an export: some rows of one table.
#[derive(Clone, Copy, Debug)]
pub struct Section {
    /// What it is called in the export.
    pub name: &'static str,
    /// The table.
    pub table: &'static str,
    /// What holds of the person's rows; `$1` is the person.
    pub condition: &'static str,
    /// The columns in their order; the first orders the rows.
    pub columns: &'static [(&'static str, Told)],
}

const OF_PERSON: &str = "user_id = $1";

const fn searched(purpose: Purpose) -> [(&'static str, Told); 5] {
    [
        ("asked_at", Told::Time),
        ("organization", Told::Text),
        ("tool", Told::Text),
        ("text_sealed", Told::SealedText(purpose)),
        ("results", Told::Number),
    ]
}

/// Every part, in the order of an export.
pub const SECTIONS: &[Section] = &[
    Section {
        name: "person",
        table: "users",
        condition: "id = $1",
        columns: &[
            ("id", Told::Id),
            ("upstream_issuer", Told::Text),
            ("upstream_subject", Told::Text),
            ("profile_sealed", Told::SealedJson(Purpose::Profile)),
            ("email_domain", Told::Text),
            ("created_at", Told::Time),
            ("last_login_at", Told::Time),
        ],
    },
    Section {
        name: "sign_in_attempts",
        table: "attempts",
        condition: OF_PERSON,
        columns: &[
            ("id", Told::Id),
            ("reference", Told::Text),
            ("client_id", Told::Text),
            ("steps", Told::Text),
        ],
    },
    Section {
        name: "memberships",
        table: "memberships",
        condition: OF_PERSON,
        columns: &[
            ("began_at", Told::Time),
            ("ended_at", Told::Time),
            ("organization_id", Told::Id),
            ("source", Told::Text),
            ("confidence", Told::Text),
        ],
    },
    Section {
        name: "approved_clients",
        table: "consents",
        condition: OF_PERSON,
        columns: &[
            ("granted_at", Told::Time),
            ("client_id", Told::Text),
            ("redirect_uri", Told::Text),
            ("scope", Told::Text),
        ],
    },
    Section {
        name: "codes",
        table: "authorization_codes",
        condition: OF_PERSON,
        columns: &[
            ("created_at", Told::Time),
            ("client_id", Told::Text),
            ("redirect_uri", Told::Text),
            ("scope", Told::Text),
            ("expires_at", Told::Time),
            ("consumed_at", Told::Time),
        ],
    },
    Section {
        name: "sign_ins_under_way",
        table: "upstream_logins",
        condition: "remembered_user_id = $1",
        columns: &[
            ("created_at", Told::Time),
            ("expires_at", Told::Time),
            ("consumed_at", Told::Time),
        ],
    },
    Section {
        name: "grants",
        table: "grants",
        condition: OF_PERSON,
        columns: &[
            ("created_at", Told::Time),
            ("id", Told::Id),
            ("client_id", Told::Text),
            ("scope", Told::Text),
            ("expires_at", Told::Time),
            ("revoked_at", Told::Time),
            ("revoked_reason", Told::Text),
        ],
    },
    Section {
        name: "renewals",
        table: "refresh_tokens",
        condition: "grant_id IN (SELECT id FROM grants WHERE user_id = $1)",
        columns: &[
            ("created_at", Told::Time),
            ("grant_id", Told::Id),
            ("expires_at", Told::Time),
            ("consumed_at", Told::Time),
        ],
    },
    Section {
        name: "browser_sessions",
        table: "browser_sessions",
        condition: OF_PERSON,
        columns: &[
            ("created_at", Told::Time),
            ("renewed_at", Told::Time),
            ("expires_at", Told::Time),
            ("ends_at", Told::Time),
        ],
    },
    Section {
        name: "admin_sessions",
        table: "admin_sessions",
        condition: OF_PERSON,
        columns: &[
            ("created_at", Told::Time),
            ("used_at", Told::Time),
            ("expires_at", Told::Time),
            ("ends_at", Told::Time),
        ],
    },
    Section {
        name: "feedback",
        table: "feedback",
        condition: OF_PERSON,
        columns: &[
            ("created_at", Told::Time),
            ("id", Told::Id),
            ("client_id", Told::Text),
            ("category", Told::Text),
            ("page_url", Told::Text),
            ("page_is_foreign", Told::Flag),
            ("text_sealed", Told::SealedText(Purpose::Feedback)),
            ("delivered_at", Told::Time),
        ],
    },
    Section {
        name: "calls",
        table: "usage_by_person",
        condition: OF_PERSON,
        columns: &[
            ("day", Told::Day),
            ("organization", Told::Text),
            ("product", Told::Text),
            ("tool", Told::Text),
            ("revision", Told::Text),
            ("outcome", Told::Text),
            ("calls", Told::Number),
            ("micros", Told::Number),
        ],
    },
    Section {
        name: "searches",
        table: "searches",
        condition: "user_id = $1 AND kind = 'query'",
        columns: &searched(Purpose::Query),
    },
    Section {
        name: "wishes",
        table: "searches",
        condition: "user_id = $1 AND kind = 'context'",
        columns: &searched(Purpose::Context),
    },
    Section {
        name: "disclosures",
        table: "disclosures",
        condition: OF_PERSON,
        columns: &[
            ("disclosed_at", Told::Time),
            ("receiver", Told::Text),
            ("event", Told::Text),
            ("fields", Told::Text),
            ("purpose", Told::Text),
        ],
    },
    Section {
        name: "known_to_sinks",
        table: "sink_people",
        condition: OF_PERSON,
        columns: &[
            ("destination", Told::Text),
            ("pseudonym", Told::Id),
            ("told_sealed", Told::SealedJson(Purpose::SinkTold)),
        ],
    },
    Section {
        name: "objections",
        table: "sink_opt_outs",
        condition: OF_PERSON,
        columns: &[("opted_out_at", Told::Time), ("destination", Told::Text)],
    },
    Section {
        name: "outbox",
        table: "outbox",
        condition: OF_PERSON,
        columns: &[
            ("created_at", Told::Time),
            ("destination", Told::Text),
            ("kind", Told::Text),
            ("attempts", Told::Number),
            ("next_attempt_at", Told::Time),
            ("delivered_at", Told::Time),
            ("failed_at", Told::Time),
            ("last_failure", Told::Text),
            ("payload_sealed", Told::SealedJson(Purpose::Outbox)),
        ],
    },
    Section {
        name: "audit",
        table: "audit",
        condition: OF_PERSON,
        columns: &[
            ("happened_at", Told::Time),
            ("kind", Told::Text),
            ("actor", Told::Text),
            ("client_id", Told::Text),
            ("grant_id", Told::Id),
            ("reason", Told::Text),
            ("reference", Told::Text),
        ],
    },
    // What they did as somebody who administers. To whom is not theirs to take along.
    Section {
        name: "administered",
        table: "audit",
        condition: "actor_user_id = $1 AND (user_id IS NULL OR user_id <> $1)",
        columns: &[
            ("happened_at", Told::Time),
            ("kind", Told::Text),
            ("client_id", Told::Text),
            ("reason", Told::Text),
        ],
    },
];

/// Tells the audit log that somebody is about to be handed everything of a person: before it is
/// read, so that no copy is made of which nobody knows. Nothing when there is no such person.
pub async fn audit_export(
    store: &Store,
    entropy: &dyn Entropy,
    by: Actor<'_>,
    user_id: UserId,
    now: Timestamp,
) -> Result<(), StoreError> {
    transact!(*store, txn => {
        if sink_people::hold(txn, &[user_id]).await?.is_empty() {
            return Ok(());
        }
        let row = AuditRow::new(entropy, AuditKind::PersonExported, by, now);
        audit::write(txn, [row.of_person(user_id)]).await
    })
}

/// Everything that is kept of a person; nothing when there is no such person.
pub async fn export(
    db: &impl Db,
    secret: &ServerSecret,
    user_id: UserId,
    now: Timestamp,
) -> Result<Option<Value>, StoreError> {
    if !erasures::exists(db, user_id).await? {
        return Ok(None);
    }
    let mut sections = Map::new();
    sections.insert("exported_at".to_owned(), json!(rfc3339(now)));
    for section in SECTIONS {
        sections.insert(section.name.to_owned(), read(db, secret, section, user_id).await?);
    }
    Ok(Some(Value::Object(sections)))
}

async fn read(
    db: &impl Db,
    secret: &ServerSecret,
    section: &Section,
    user_id: UserId,
) -> Result<Value, StoreError> {
    let columns: Vec<_> = section.columns.iter().map(|(name, told)| (*name, told.kind())).collect();
    let Section { table, condition, .. } = *section;
    let extract = Extract { table, condition, columns: &columns };
    let rows = exports::rows(db, extract, user_id).await?;
    let row = |cells: Vec<Cell>| {
        let columns = section.columns.iter().zip(cells);
        let told = columns.filter_map(|((name, told), cell)| {
            // What is open here is not sealed for whoever reads it.
            let name = name.strip_suffix("_sealed").unwrap_or(name);
            Some((name.to_owned(), told.value(cell, secret)?))
        });
        Value::Object(told.collect())
    };
    Ok(Value::Array(rows.into_iter().map(row).collect()))
}

impl Told {
    const fn kind(self) -> ColumnKind {
        match self {
            Self::Id => ColumnKind::Id,
            Self::Text => ColumnKind::Text,
            Self::Number | Self::Day => ColumnKind::Number,
            Self::Flag => ColumnKind::Flag,
            Self::Time => ColumnKind::Time,
            Self::SealedText(_) | Self::SealedJson(_) => ColumnKind::Bytes,
        }
    }

    /// What is told of a cell; nothing of an empty one. What no secret opens is said to be there.
    fn value(self, cell: Cell, secret: &ServerSecret) -> Option<Value> {
        Some(match cell {
            Cell::Empty => return None,
            Cell::Id(id) => json!(id.to_string()),
            Cell::Text(text) => json!(text),
            Cell::Number(day) if self == Self::Day => json!(Day::from_number(day).to_string()),
            Cell::Number(number) => json!(number),
            Cell::Flag(flag) => json!(flag),
            Cell::Time(time) => json!(rfc3339(time)),
            Cell::Bytes(sealed) => self.opened(&sealed, secret).unwrap_or_else(unreadable),
        })
    }

    fn opened(self, sealed: &[u8], secret: &ServerSecret) -> Option<Value> {
        match self {
            Self::SealedText(purpose) => {
                String::from_utf8(secret.unseal(purpose, sealed)?).ok().map(Value::String)
            }
            Self::SealedJson(purpose) => {
                serde_json::from_slice(&secret.unseal(purpose, sealed)?).ok()
            }
            Self::Id | Self::Text | Self::Number | Self::Flag | Self::Time | Self::Day => None,
        }
    }
}

fn unreadable() -> Value {
    json!("unreadable: it was sealed under a secret that is not set")
}
