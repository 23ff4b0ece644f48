//! A fresh database per story: a file, or a copy of a migrated template.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use gatehouse::clock::{Clock as _, SystemClock};
use gatehouse::store::{Store, schema};
use sea_orm::{ConnectionTrait as _, Database, DatabaseConnection, DbBackend, Statement};
use tokio::sync::OnceCell;

use super::metrics::Scrape;
use super::{Relay, World, in_repository};

/// Which database a story runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backend {
    Sqlite,
    Postgres,
}

impl Backend {
    /// The address of an empty, migrated database.
    pub async fn fresh(self, folder: &Path) -> String {
        match self {
            Self::Sqlite => {
                let url = format!("sqlite://{}?mode=rwc", folder.join("g.db").display());
                let store = Store::connect(&url).await.expect("the folder is writable");
                schema::up(&store).await.expect("migrations run");
                store.close().await;
                url
            }
            Self::Postgres => through_pooler(copy_of_template().await),
        }
    }

    /// The address of a database without any table.
    pub async fn empty(self, folder: &Path) -> String {
        match self {
            Self::Sqlite => format!("sqlite://{}?mode=rwc", folder.join("e.db").display()),
            Self::Postgres => through_pooler(create("", &name()).await),
        }
    }
}

/// Where Postgres listens. The test script says so; without it a throw-away cluster is started and
/// ends with this process.
#[expect(clippy::disallowed_methods, reason = "a test is told by its environment where to look")]
fn server() -> &'static str {
    static SERVER: OnceLock<(String, Option<Child>)> = OnceLock::new();
    &SERVER
        .get_or_init(|| {
            if let Ok(url) = std::env::var("GATEHOUSE_TEST_DATABASE_URL") {
                return (url, None);
            }
            let mut child = Command::new(in_repository("scripts/with-postgres"))
                .args(["sh", "-c", "echo \"$GATEHOUSE_TEST_DATABASE_URL\"; exec cat"])
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .spawn()
                .expect("scripts/with-postgres can be run");
            let mut line = String::new();
            let stdout = child.stdout.take().expect("stdout is piped");
            BufReader::new(stdout).read_line(&mut line).expect("it prints the address");
            assert!(!line.trim().is_empty(), "scripts/with-postgres found no Postgres");
            (line.trim().to_owned(), Some(child))
        })
        .0
}

/// Whether houses reach their Postgres through a pooler.
pub fn is_pooled() -> bool {
    pooler().is_some()
}

/// The pooler before that Postgres, as `host:port`, where one stands (`scripts/with-pgbouncer`).
#[expect(clippy::disallowed_methods, reason = "a test is told by its environment where to look")]
fn pooler() -> Option<String> {
    std::env::var("GATEHOUSE_TEST_POOLER").ok().filter(|pooler| !pooler.is_empty())
}

/// The same database, reached as a house behind a pooler reaches it.
fn through_pooler(database_url: String) -> String {
    let Some(pooler) = pooler() else { return database_url };
    let (host, port) = pooler.rsplit_once(':').expect("a pooler is host:port");
    let mut url = reqwest::Url::parse(&database_url).expect("a database's address is a URL");
    url.set_host(Some(host)).expect("it may have a host");
    url.set_port(port.parse().ok()).expect("it may have a port");
    url.into()
}

/// The same database without the pooler, as who looks at rows reaches it.
fn around_pooler(database_url: &str) -> String {
    if pooler().is_none() || !database_url.starts_with("postgres") {
        return database_url.to_owned();
    }
    let url = reqwest::Url::parse(database_url).expect("a database's address is a URL");
    on_server(url.path().trim_start_matches('/'))
}

fn on_server(database: &str) -> String {
    let mut url = reqwest::Url::parse(server()).expect("the server's address is a URL");
    url.set_path(&format!("/{database}"));
    url.into()
}

/// Where the server listens, as `host:port`, if a relay can stand before it: not before one that
/// must prove by its certificate that it has the name it is called by.
pub fn postgres_to_relay() -> Option<String> {
    if let Some(pooler) = pooler() {
        return Some(pooler);
    }
    let url = reqwest::Url::parse(server()).expect("the server's address is a URL");
    let asks_for_tls = url
        .query_pairs()
        .any(|(key, mode)| key == "sslmode" && !matches!(&*mode, "disable" | "allow" | "prefer"));
    let host = url.host_str().expect("it names a host");
    (!asks_for_tls).then(|| format!("{host}:{}", url.port().unwrap_or(5432)))
}

/// The same database, reached through a relay.
pub fn database_behind(relay: &Relay, database_url: &str) -> String {
    let mut url = reqwest::Url::parse(database_url).expect("a database's address is a URL");
    url.set_ip_host(relay.address().ip()).expect("it may have a host");
    url.set_port(Some(relay.address().port())).expect("it may have a port");
    url.into()
}

fn name() -> String {
    static COUNTER: AtomicU32 = AtomicU32::new(0);
    // Databases stay on a server that is kept, and process numbers come back.
    static BEGAN: OnceLock<i64> = OnceLock::new();
    let began = BEGAN.get_or_init(|| SystemClock.now().millis());
    let count = COUNTER.fetch_add(1, Ordering::Relaxed);
    format!("gatehouse_test_{began}_{}_{count}", std::process::id())
}

async fn create(options: &str, name: &str) -> String {
    let admin = Database::connect(server()).await.expect("Postgres answers");
    admin
        .execute_unprepared(&format!("CREATE DATABASE {name} {options}"))
        .await
        .expect("a database can be created");
    admin.close().await.expect("closing works");
    on_server(name)
}

async fn copy_of_template() -> String {
    static TEMPLATE: OnceCell<String> = OnceCell::const_new();
    let template = TEMPLATE
        .get_or_init(|| async {
            let name = name();
            let store = Store::connect(&create("", &name).await).await.expect("it is there");
            schema::up(&store).await.expect("migrations run");
            store.close().await;
            name
        })
        .await;
    create(&format!("TEMPLATE {template}"), &name()).await
}

/// A connection for looking at rows.
pub async fn db_connect(url: &str) -> DatabaseConnection {
    let direct = around_pooler(url);
    Database::connect(direct).await.expect("the story's database answers")
}

/// The single number that a query gives.
pub async fn db_number(url: &str, sql: &str) -> i64 {
    let connection = db_connect(url).await;
    let statement = Statement::from_string(connection.get_database_backend(), sql.to_owned());
    let row = connection.query_one_raw(statement).await.expect("the query runs");
    let number = row.expect("it gives a row").try_get_by_index(0).expect("it is a number");
    connection.close().await.expect("closing works");
    number
}

/// Runs a statement.
pub async fn db_execute(url: &str, sql: &str) {
    let connection = db_connect(url).await;
    connection.execute_unprepared(sql).await.expect("the statement runs");
    connection.close().await.expect("closing works");
}

const TABLES: [&str; 33] = [
    "clients",
    "users",
    "consents",
    "authorization_requests",
    "upstream_logins",
    "authorization_codes",
    "grants",
    "refresh_tokens",
    "signing_keys",
    "feedback",
    "limit_windows",
    "browser_logins",
    "browser_sessions",
    "outbox",
    "organizations",
    "memberships",
    "usage_by_person",
    "usage_by_organization",
    "usage_days",
    "usage_writers",
    "searches",
    "disclosures",
    "sink_people",
    "sink_opt_outs",
    "anonymous_callers",
    "challenged_callers",
    "enforcement_halts",
    "admin_sessions",
    "admin_tokens",
    "leases",
    "attempts",
    "audit",
    "audit_horizon",
];

/// Every value of every table, as text, bytes included.
pub async fn db_dump(url: &str) -> Vec<u8> {
    let mut dump = Vec::new();
    for table in TABLES {
        dump.extend(db_dump_of(url, table).await);
    }
    dump
}

/// The columns whose name ends so, each with its table.
pub async fn db_columns_like(url: &str, ending: &str) -> Vec<(String, String)> {
    let connection = db_connect(url).await;
    let sql = if connection.get_database_backend() == DbBackend::Postgres {
        format!(
            "SELECT table_name::text, column_name::text FROM information_schema.columns
             WHERE table_schema = current_schema() AND column_name LIKE '%{ending}'"
        )
    } else {
        format!(
            "SELECT m.name, c.name FROM sqlite_master m, pragma_table_info(m.name) c
             WHERE m.type = 'table' AND c.name LIKE '%{ending}'"
        )
    };
    let statement = Statement::from_string(connection.get_database_backend(), sql);
    let rows = connection.query_all_raw(statement).await.expect("the columns are known");
    let text = |row: &sea_orm::QueryResult, index| -> String {
        row.try_get_by_index(index).expect("a name is text")
    };
    let columns = rows.iter().map(|row| (text(row, 0), text(row, 1))).collect();
    connection.close().await.expect("closing works");
    columns
}

/// Every value of a table, as text, bytes included.
pub async fn db_dump_of(url: &str, table: &str) -> Vec<u8> {
    let connection = db_connect(url).await;
    let mut dump = Vec::new();
    // Binary columns are turned into text that can be searched: hexadecimal, and the raw bytes.
    let sql = if connection.get_database_backend() == DbBackend::Postgres {
        format!("SELECT convert_to(t::text, 'UTF8') FROM {table} t")
    } else {
        let columns = sqlite_columns(&connection, table).await;
        let parts: Vec<_> =
            columns.iter().map(|c| format!("coalesce(cast({c} AS BLOB), x'')")).collect();
        format!("SELECT cast({} AS BLOB) FROM {table}", parts.join(" || "))
    };
    let statement = Statement::from_string(connection.get_database_backend(), sql);
    for row in connection.query_all_raw(statement).await.expect("the dump runs") {
        dump.extend(row.try_get_by_index::<Vec<u8>>(0).expect("a row is bytes"));
        dump.push(b'\n');
    }
    connection.close().await.expect("closing works");
    dump
}

async fn sqlite_columns(connection: &DatabaseConnection, table: &str) -> Vec<String> {
    let sql = format!("SELECT name FROM pragma_table_info('{table}')");
    let statement = Statement::from_string(DbBackend::Sqlite, sql);
    let rows = connection.query_all_raw(statement).await.expect("the columns are known");
    rows.iter().map(|row| row.try_get_by_index(0).expect("a name is text")).collect()
}

/// A transaction of the story's, under which others wait.
pub struct DbHold(DatabaseConnection);

/// Holds everything that a refresh has to write, as a stalled database would.
pub async fn db_hold(url: &str) -> DbHold {
    hold(url, "LOCK TABLE refresh_tokens IN ACCESS EXCLUSIVE MODE").await
}

/// Holds what an exchange must hold to decide; who only reads goes on.
pub async fn db_hold_decisions(url: &str) -> DbHold {
    hold(url, "SELECT id FROM authorization_codes FOR UPDATE").await
}

/// Holds what limits are settled in.
pub async fn db_hold_limits(url: &str) -> DbHold {
    hold(url, "LOCK TABLE limit_windows IN ACCESS EXCLUSIVE MODE").await
}

/// By this statement on Postgres; on SQLite by taking the place of its one writer.
async fn hold(url: &str, on_postgres: &str) -> DbHold {
    // One connection, so that both statements of the hold go to the same session.
    let mut options = sea_orm::ConnectOptions::new(around_pooler(url));
    options.max_connections(1);
    let connection = Database::connect(options).await.expect("the story's database answers");
    let sql = match connection.get_database_backend() {
        DbBackend::Postgres => &format!("BEGIN; {on_postgres}"),
        _ => "BEGIN IMMEDIATE",
    };
    connection.execute_unprepared(sql).await.expect("nobody else holds it");
    DbHold(connection)
}

impl DbHold {
    /// Waits until somebody waits for what is held.
    pub async fn until_somebody_waits(&self, world: &World) {
        let of_postgres = "SELECT count(*) FROM pg_stat_activity
            WHERE datname = current_database() AND wait_event_type = 'Lock'";
        let writer = "gatehouse_store_connections{pool=\"writer\",state=\"in_use\"}";
        let looking = async {
            while match self.0.get_database_backend() {
                DbBackend::Postgres => db_number(&world.database_url, of_postgres).await == 0,
                // Its one writer is taken and cannot begin.
                _ => Scrape::of(world).await.value(writer) < 0.5,
            } {}
        };
        let waits = tokio::time::timeout(std::time::Duration::from_secs(30), looking).await;
        assert!(waits.is_ok(), "nobody waits");
    }

    pub async fn let_go(self) {
        self.0.execute_unprepared("ROLLBACK").await.expect("it is held");
        self.0.close().await.expect("closing works");
    }
}
