//! Made-up usage, for tests and measurements: a million rows in seconds, the same for a seed.
//!
//! Values are written into the statements. All of them are made here, and none comes from outside.

use std::fmt::Write as _;

use sea_orm::ConnectionTrait;
use uuid::Uuid;

use crate::clock::Timestamp;
use crate::domain::day::Day;
use crate::domain::latency::BUCKETS;
use crate::store::usage::{TOOK, reopen};
use crate::store::{Store, StoreError, Txn, transact};

/// Rows of one statement.
const STATEMENT_ROWS: usize = 1_000;

/// People who share an organization, on average.
const PEOPLE_PER_ORGANIZATION: u64 = 8;

const PRODUCTS: [&str; 6] =
    ["Claude Code", "Cursor", "VS Code", "ChatGPT", "Claude", "Internal agent"];
const TOOLS: [&str; 4] =
    ["search_docs", "read_page", "search_api_reference", "get_api_reference_content"];
const REVISIONS: [&str; 3] = ["2026-07-28", "2025-11-25", "2025-06-18"];
const OUTCOMES: [&str; 8] =
    ["answered", "answered", "answered", "answered", "answered", "answered", "empty", "refused"];

/// What is made up.
pub struct Fill {
    /// People.
    pub people: u32,
    /// The last day.
    pub last: Day,
    /// Days, the last included.
    pub days: u32,
    /// Which chance.
    pub seed: u64,
    /// What every profile holds.
    pub profile_sealed: Vec<u8>,
    /// When they signed in.
    pub now: Timestamp,
}

/// Writes it; how many rows of usage there were. What is there already stays as it is.
pub async fn fill(store: &Store, fill: &Fill) -> Result<u64, StoreError> {
    transact!(*store, txn => {
        let mut rows = Rows::new("users", USERS);
        for person in 0..fill.people {
            rows.push(txn, &user_row(store, fill, person)).await?;
        }
        rows.finish(txn).await
    })?;
    let mut written = 0;
    for day in 0..fill.days {
        let day = fill.last.plus(-i64::from(day));
        written += transact!(*store, txn => {
            reopen(txn, day).await?;
            day_of(store, txn, fill, day).await
        })?;
    }
    Ok(written)
}

const USERS: &str = "id, upstream_issuer, upstream_subject, profile_sealed, email_domain,
    created_at, last_login_at";

fn usage_columns() -> String {
    format!("day, organization, person, product, tool, revision, outcome, user_id, calls, {TOOK}")
}

async fn day_of(store: &Store, txn: &Txn, fill: &Fill, day: Day) -> Result<u64, StoreError> {
    let columns = usage_columns();
    let mut rows = Rows::new("usage_by_person", &columns);
    let mut text = String::new();
    for person in 0..fill.people {
        let mut chance = Chance::of(fill.seed, person, day);
        // Three days in seven, and then two or three kinds of call.
        if chance.below(7) >= 3 {
            continue;
        }
        let product = PRODUCTS[chance.index(PRODUCTS.len())];
        let revision = REVISIONS[chance.index(REVISIONS.len())];
        let tools = 1 + chance.index(TOOLS.len());
        for tool in &TOOLS[..tools] {
            let outcome = OUTCOMES[chance.index(OUTCOMES.len())];
            let id = blob(store, id_of(fill.seed, person).as_bytes());
            let organization = domain_of(fill, person);
            text.clear();
            // Writing to a text cannot fail.
            let _ = write!(
                text,
                "({}, 'domain:{organization}', {id}, '{product}', '{tool}', '{revision}', \
                 '{outcome}', {id}, ",
                day.number()
            );
            counts_of(&mut chance, &mut text);
            rows.push(txn, &text).await?;
        }
    }
    rows.finish(txn).await
}

/// Calls, how long they took together, and how many fell into each bucket.
fn counts_of(chance: &mut Chance, text: &mut String) {
    let mut took = [0_u64; BUCKETS];
    let calls = 1 + chance.below(12);
    let mut micros = 0;
    for _ in 0..calls {
        // Most of them are quick.
        let bucket = chance.index(BUCKETS).min(chance.index(BUCKETS)).min(chance.index(BUCKETS));
        took[bucket] += 1;
        micros += 3_000 << bucket;
    }
    let _ = write!(text, "{calls}, {micros}");
    for count in took {
        let _ = write!(text, ", {count}");
    }
    text.push(')');
}

fn user_row(store: &Store, fill: &Fill, person: u32) -> String {
    let id = blob(store, id_of(fill.seed, person).as_bytes());
    let profile = blob(store, &fill.profile_sealed);
    let (domain, now) = (domain_of(fill, person), fill.now.millis());
    let subject = format!("made-up-{}-{person}", fill.seed);
    format!("({id}, 'https://made-up.invalid/', '{subject}', {profile}, '{domain}', {now}, {now})")
}

/// Few organizations have many people.
fn domain_of(fill: &Fill, person: u32) -> String {
    let organizations = u64::from(fill.people) / PEOPLE_PER_ORGANIZATION + 1;
    let mut chance = Chance::of(fill.seed, person, Day::from_number(0));
    let number = chance.below(organizations).min(chance.below(organizations));
    format!("made-up-{number}.example")
}

fn id_of(seed: u64, person: u32) -> Uuid {
    let mut chance = Chance::of(seed ^ 0x7573_6572, person, Day::from_number(0));
    let (high, low) = (u128::from(chance.next()), u128::from(chance.next()));
    uuid::Builder::from_random_bytes((high << 64 | low).to_be_bytes()).into_uuid()
}

/// Bytes as the database reads them in a statement.
fn blob(store: &Store, bytes: &[u8]) -> String {
    let mut digits = String::with_capacity(bytes.len() * 2 + 6);
    digits.push_str(if store.is_postgres() { "'\\x" } else { "x'" });
    // A UUID of Postgres takes digits alone.
    if store.is_postgres() && bytes.len() == 16 {
        digits.truncate(1);
    }
    for byte in bytes {
        let _ = write!(digits, "{byte:02x}");
    }
    digits.push('\'');
    digits
}

/// Rows on their way into a table.
struct Rows {
    begin: String,
    sql: String,
    waiting: usize,
    written: u64,
}

impl Rows {
    fn new(table: &str, columns: &str) -> Self {
        let begin = format!("INSERT INTO {table} ({columns}) VALUES ");
        Self { sql: begin.clone(), begin, waiting: 0, written: 0 }
    }

    async fn push(&mut self, txn: &Txn, row: &str) -> Result<(), StoreError> {
        if self.waiting > 0 {
            self.sql.push_str(", ");
        }
        self.sql.push_str(row);
        self.waiting += 1;
        if self.waiting == STATEMENT_ROWS { self.write(txn).await } else { Ok(()) }
    }

    async fn write(&mut self, txn: &Txn) -> Result<(), StoreError> {
        self.sql.push_str(" ON CONFLICT DO NOTHING");
        self.written += txn.execute_unprepared(&self.sql).await?.rows_affected();
        self.waiting = 0;
        self.sql.clone_from(&self.begin);
        Ok(())
    }

    async fn finish(mut self, txn: &Txn) -> Result<u64, StoreError> {
        if self.waiting > 0 {
            self.write(txn).await?;
        }
        Ok(self.written)
    }
}

/// Numbers that look like chance, always the same for what they are made of (SplitMix64).
struct Chance(u64);

impl Chance {
    fn of(seed: u64, person: u32, day: Day) -> Self {
        let mut chance = Self(seed);
        let mixed = chance.next() ^ u64::from(person).rotate_left(32) ^ day.number().unsigned_abs();
        let mut chance = Self(mixed);
        chance.next();
        chance
    }

    const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    const fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    fn index(&mut self, length: usize) -> usize {
        usize::try_from(self.below(length as u64)).unwrap_or(0)
    }
}
