//! What a month of use leaves in Postgres when it is cleaned up: no more than its rows need.

use std::fmt::Write as _;

use gatehouse::clock::{Clock as _, Timestamp};
use gatehouse::store::{Store, sweep};

use crate::support::database::{db_execute, db_number};
use crate::support::{Backend, DAY, HOUR, World};

/// Sign-ins of a day, unless the environment says otherwise (`scripts/measure-bloat`).
const SIGN_INS: i64 = 20;

/// How often each of them renews its tokens, all on the first day; the last one dies after 30 days.
const RENEWALS: i64 = 24;

/// How often a caller is counted in a window.
const SETTLEMENTS: i64 = 5;

/// Days until what was made first is gone, so that from then on as much goes as comes.
const MONTH: u32 = 33;

const TABLES: [&str; 5] =
    ["authorization_requests", "authorization_codes", "grants", "refresh_tokens", "limit_windows"];

#[expect(clippy::disallowed_methods, reason = "a measurement is told by its environment how big")]
fn sign_ins() -> i64 {
    std::env::var("GATEHOUSE_TEST_SIGN_INS").map_or(SIGN_INS, |text| text.parse().unwrap())
}

/// A day of rows, made and changed as the flows do it.
fn day(from: Timestamp) -> String {
    let (at, count) = (from.millis(), sign_ins());
    let (request_ends, code_ends, window_ends) = (at + 600_000, at + 60_000, at + 1_800_000);
    let mut sql = format!(
        "CREATE TEMP TABLE today AS
            SELECT gen_random_uuid() AS id, c.client_id, u.id AS user_id
            FROM generate_series(1, {count}), clients c, users u;
         INSERT INTO authorization_requests
            SELECT id, client_id, 'http://127.0.0.1/callback', repeat('x', 60)::bytea,
                'docs:read', repeat('x', 43), {request_ends}, {at}, 'approved' FROM today;
         INSERT INTO authorization_codes
            SELECT id, sha256(id::text::bytea), id, client_id, user_id,
                'http://127.0.0.1/callback', 'docs:read', repeat('x', 43), {at}, {code_ends}
            FROM today;
         UPDATE authorization_codes c SET consumed_at = {at}, grant_id = c.id
            FROM today t WHERE t.id = c.id;
         INSERT INTO grants
            SELECT id, id, user_id, client_id, 'docs:read', {at} FROM today;
         INSERT INTO limit_windows
            SELECT sha256(id::text::bytea), 'limit_token', {at}, 1, {window_ends} FROM today;"
    );
    for _ in 0..SETTLEMENTS {
        let settle = "UPDATE limit_windows w SET used = used + 1
            FROM today t WHERE w.key_hash = sha256(t.id::text::bytea);";
        sql.push_str(settle);
    }
    for generation in 0..RENEWALS {
        let made = at + generation * 3_600_000;
        let expires = made + 30 * 86_400_000;
        write!(
            sql,
            "UPDATE refresh_tokens r SET consumed_at = {made}
                FROM today t WHERE t.id = r.grant_id AND r.consumed_at IS NULL;
             INSERT INTO refresh_tokens SELECT gen_random_uuid(), id, {generation},
                sha256(gen_random_uuid()::text::bytea), {made}, {expires} FROM today;"
        )
        .unwrap();
    }
    sql + "DROP TABLE today"
}

/// Rows and bytes of each table, its indexes with it.
async fn sizes(url: &str) -> Vec<(i64, i64)> {
    let mut sizes = Vec::new();
    for table in TABLES {
        let rows = db_number(url, &format!("SELECT count(*) FROM {table}")).await;
        let bytes = db_number(url, &format!("SELECT pg_total_relation_size('{table}')")).await;
        sizes.push((rows, bytes));
    }
    sizes
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_month_takes_no_more_room_than_the_first() {
    let world = World::start(Backend::Postgres).await;
    world.client("editor").await.signed_in(&world, "alice").await;
    let (url, store) = (&world.database_url, Store::connect(&world.database_url).await.unwrap());
    let mut months = Vec::new();
    let mut now = world.clock.now();
    for _ in 0..2 {
        for _ in 0..MONTH {
            db_execute(url, &day(now)).await;
            now = now.plus(DAY);
            sweep::pass(&store, HOUR, now).await.unwrap();
            // What autovacuum does by itself, when it comes to it.
            for table in TABLES {
                db_execute(url, &format!("VACUUM {table}")).await;
            }
        }
        months.push(sizes(url).await);
    }
    store.close().await;
    for ((table, first), second) in TABLES.iter().zip(&months[0]).zip(&months[1]) {
        let ((rows, before), (rows_after, after)) = (first, second);
        let line = format!("{table:24} {rows:>9} rows {before:>12} bytes, then {after:>12}");
        // Shown by `scripts/measure-bloat`.
        #[expect(clippy::print_stdout, reason = "a measurement is to be read")]
        {
            println!("{line}");
        }
        assert_eq!(rows, rows_after, "{table}");
        // A few pages of each index come and go.
        assert!(after - before < before / 10 + 128 * 1024, "{line}");
    }
}
