//! Whether it stays as fast: over tables of many rows, while they are cleaned up, with several
//! replicas, with a database that is far away, and over a long time.

use std::error::Error;
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::process::Stdio;
use std::time::{Duration, Instant};

use sqlx::postgres::PgPool;
use sqlx::{AssertSqlSafe, Executor as _};
use tokio::process::Command;

use crate::counter;
use crate::house::Plot;
use crate::load::{Measured, drive};
use crate::provider::Provider;
use crate::report;
use crate::run::new_database;
use crate::scenarios::Ground;
use crate::server::{Server, free_address};

type Failure = Box<dyn Error + Send + Sync>;

/// What is asked of the database, and what it is compared by.
const SCENARIOS: &[&str] = &["authorize", "exchange", "refresh", "register", "list"];

const CONNECTIONS: usize = 16;

/// Refresh tokens of a person: one is live.
const GENERATIONS: usize = 10;

/// What one round trip to a database in another place may take.
const FAR_AWAY: Duration = Duration::from_millis(5);

/// What to do.
pub struct Plan {
    /// The house.
    pub plot: Plot,
    /// A Postgres to make a database on.
    pub postgres: String,
    /// People in it, as many clients and grants, and ten times as many refresh tokens.
    pub people: u64,
    /// How long each scenario is measured.
    pub duration: Duration,
    /// How long refreshes go on in the end.
    pub soak: Duration,
}

struct Row {
    case: String,
    scenario: &'static str,
    connections: usize,
    measured: Measured,
    /// The rate of the row that it is compared with.
    before: Option<f64>,
}

/// Fills a migrated database of a house in which somebody has signed in. A tenth of what it makes
/// ended long ago, and is for the clean-up. As a superuser: constraints between tables are not
/// looked at, because what is inserted fits.
pub async fn fill(pool: &PgPool, people: u64) -> Result<(), sqlx::Error> {
    let mut connection = pool.acquire().await?;
    connection.execute("SET session_replication_role = replica").await?;
    // Identifiers that begin with the time, as ours do; the time of person `i` of `n`.
    let id = |at: &str, what: &str| {
        format!(
            "(lpad(to_hex({at}), 12, '0') || '7' || substr(md5('{what}' || i), 1, 3) || '8'
                || substr(md5('{what}' || i), 4, 15))::uuid"
        )
    };
    // One moment for all statements: rows name each other by it.
    let now: i64 = sqlx::query_scalar("SELECT (extract(epoch FROM now()) * 1000)::bigint")
        .fetch_one(&mut *connection)
        .await?;
    let at = format!(
        "({now} - CASE WHEN i % 10 = 0 THEN 8640000000
            ELSE 0 END - 1728000000 + i * 1728000000 / {people})"
    );
    let series = format!("generate_series(1, {people}::bigint) i");
    let (user, client) = (id(&at, "user"), id(&at, "client"));
    let (grant, code) = (id(&at, "grant"), id(&at, "code"));
    let mut statements = vec![
        format!(
            "INSERT INTO users (id, upstream_issuer, upstream_subject, profile_sealed,
                 email_domain, created_at, last_login_at)
             SELECT {user}, u.upstream_issuer, 'filled|' || i, u.profile_sealed,
                 'filled.example', {at}, {at}
             FROM (SELECT * FROM users LIMIT 1) u, {series}"
        ),
        format!(
            "INSERT INTO clients (id, client_id, metadata, created_at, last_used_at)
             SELECT {client}, 'filled-' || i, c.metadata, {at}, {at}
             FROM (SELECT * FROM clients LIMIT 1) c, {series}"
        ),
        format!(
            "INSERT INTO grants (id, authorization_code_id, user_id, client_id, scope, created_at)
             SELECT {grant}, {code}, {user}, 'filled-' || i, g.scope, {at}
             FROM (SELECT * FROM grants LIMIT 1) g, {series}"
        ),
    ];
    for generation in 0..GENERATIONS {
        let at = format!("({at} + {generation} * 3600000)");
        let token = id(&at, &format!("token{generation}-"));
        let used = if generation + 1 == GENERATIONS {
            "NULL::bigint".to_owned()
        } else {
            format!("{at} + 3600000")
        };
        statements.push(format!(
            "INSERT INTO refresh_tokens (id, grant_id, generation, token_hash, created_at,
                 expires_at, consumed_at)
             SELECT {token}, {grant}, {generation}, sha256(('{generation}-' || i)::bytea), {at},
                 {at} + 2592000000, {used}
             FROM {series}"
        ));
    }
    for statement in statements {
        connection.execute(AssertSqlSafe(statement)).await?;
    }
    connection.execute("VACUUM ANALYZE").await?;
    connection.execute("CHECKPOINT").await?;
    Ok(())
}

struct Growth<'a> {
    plan: &'a Plan,
    ground: Ground,
    rows: Vec<Row>,
}

/// Measures all of it, as a page.
pub async fn run(plan: &Plan, remark: &str) -> Result<String, Failure> {
    let provider = Provider::start().await.map_err(|error| error.to_string())?;
    let (url, database) = new_database(&plan.postgres, "growth").await?;
    let ground = Ground::new(&provider);
    let mut growth = Growth { plan, ground, rows: Vec::new() };
    let house = growth.house(plan.plot.address, &url).await?;
    growth.ground.mint(&house, 64).await?;
    growth.measure("empty tables", std::slice::from_ref(&house), CONNECTIONS, SCENARIOS).await?;
    drop(house);

    let pool = PgPool::connect(&url).await?;
    let begin = Instant::now();
    fill(&pool, plan.people).await?;
    tell(&format!("filled within {:?}", begin.elapsed()));
    let size: i64 =
        sqlx::query_scalar("SELECT pg_database_size(current_database())").fetch_one(&pool).await?;
    pool.close().await;
    let full = format!("{} people", plan.people);
    let house = growth.house(plan.plot.address, &url).await?;
    growth.measure(&full, std::slice::from_ref(&house), CONNECTIONS, SCENARIOS).await?;
    let cleaned = growth.clean_up(&house, &url).await?;
    drop(house);
    growth.replicas(&url).await?;
    growth.far_away(&url).await?;
    if !plan.soak.is_zero() {
        let house = growth.house(plan.plot.address, &url).await?;
        let case = format!("{} minutes", plan.soak.as_secs() / 60);
        growth.row(&case, &[house], CONNECTIONS, "refresh", plan.soak).await?;
    }
    Ok(growth.page(remark, &database, size, &cleaned))
}

impl Growth<'_> {
    async fn house(&self, listen: SocketAddr, url: &str) -> Result<Server, String> {
        let house = self.plan.plot.build_at(listen, &self.ground.provider, url, "RS256").await?;
        // What a start leaves to do is done by then.
        tokio::time::sleep(Duration::from_secs(1)).await;
        Ok(house)
    }

    async fn measure(
        &mut self,
        case: &str,
        houses: &[Server],
        connections: usize,
        scenarios: &[&'static str],
    ) -> Result<(), Failure> {
        for scenario in scenarios {
            self.row(case, houses, connections, scenario, self.plan.duration).await?;
        }
        Ok(())
    }

    /// One scenario, by as many connections to each house.
    async fn row(
        &mut self,
        case: &str,
        houses: &[Server],
        connections: usize,
        scenario: &'static str,
        duration: Duration,
    ) -> Result<(), Failure> {
        let mut driving = Vec::new();
        // There are only so many codes.
        let warm_up = Duration::from_secs(u64::from(scenario != "exchange"));
        for house in houses {
            let visitors = self.ground.visitors(scenario, connections / houses.len())?;
            driving.push(tokio::spawn(drive(house.address, visitors, warm_up, duration)));
        }
        let mut parts = Vec::new();
        for part in driving {
            parts.push(part.await?);
        }
        let measured = Measured::of_all(parts).ok_or("no house")?;
        tell(&format!("{case}: {scenario} at {connections}: {:.0}/s", measured.rate()));
        if let Some(failure) = &measured.first_failure {
            tell(&format!("  {} failed: {failure:.300}", measured.failed));
        }
        let same = |row: &&Row| row.scenario == scenario && row.connections == connections;
        let before = self.rows.iter().find(same).map(|row| row.measured.rate());
        let case = case.to_owned();
        self.rows.push(Row { case, scenario, connections, measured, before });
        Ok(())
    }

    /// The same while a clean-up pass deletes a tenth of everything.
    async fn clean_up(&mut self, house: &Server, url: &str) -> Result<String, Failure> {
        let begin = Instant::now();
        let mut pass = Command::new(&self.plan.plot.program)
            .arg("gc")
            .env_clear()
            .envs(self.plan.plot.environment(
                self.plan.plot.address,
                &self.ground.provider,
                url,
                "RS256",
            )?)
            .current_dir(&self.plan.plot.folder)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .kill_on_drop(true)
            .spawn()?;
        let mut is_whole = true;
        for scenario in ["refresh", "authorize", "exchange"] {
            let houses = std::slice::from_ref(house);
            self.row("a clean-up", houses, CONNECTIONS, scenario, self.plan.duration).await?;
            is_whole &= pass.try_wait()?.is_none();
        }
        let output = pass.wait_with_output().await?;
        if !output.status.success() {
            return Err(format!("the clean-up ended with {}", output.status).into());
        }
        let deleted = String::from_utf8(output.stdout)?;
        let of = |table: &str| {
            let mut words = deleted.lines().map(|line| line.trim().split_once(' '));
            words.find_map(|line| line.filter(|(_, name)| *name == table)).map_or("0", |it| it.0)
        };
        let (grants, tokens) = (of("grants"), of("refresh_tokens"));
        let outlasted = if is_whole { "outlasted" } else { "ended before the end of" };
        let took = begin.elapsed().as_secs();
        Ok(format!(
            "The clean-up deleted {grants} grants and {tokens} refresh tokens within {took} s, and \
             {outlasted} what was measured beside it."
        ))
    }

    async fn replicas(&mut self, url: &str) -> Result<(), Failure> {
        for count in [1, 2, 4] {
            let mut houses = Vec::new();
            for _ in 0..count {
                houses.push(self.house(free_address()?, url).await?);
            }
            let case = format!("{count} {}", if count == 1 { "replica" } else { "replicas" });
            self.measure(&case, &houses, CONNECTIONS, &["authorize", "exchange", "refresh"])
                .await?;
        }
        Ok(())
    }

    async fn far_away(&mut self, url: &str) -> Result<(), Failure> {
        let (relay, _) = counter::relay(counter::server_of(url)?, FAR_AWAY).await?;
        let house = self.house(self.plan.plot.address, &counter::through(url, relay)?).await?;
        for connections in [1, CONNECTIONS] {
            let scenarios = &["authorize", "exchange", "refresh"];
            let houses = std::slice::from_ref(&house);
            self.measure("5 ms away", houses, connections, scenarios).await?;
        }
        Ok(())
    }

    fn page(&self, remark: &str, database: &str, size: i64, cleaned: &str) -> String {
        let mut page = format!("# A run of the bench: growth\n\n{remark}\n\n");
        report::machine(&mut page, database);
        let people = self.plan.people;
        let megabytes = size / (1024 * 1024);
        // Writing to a string cannot fail.
        let _ = writeln!(
            page,
            "Filled with {people} people, clients and grants and {} refresh tokens: {megabytes} \
             MB. {cleaned}\n\nLatencies in ms. Beside each rate, what it is of the first row with \
             the same scenario and connections.\n\n\
             | case | scenario | connections | a second | of the first | p50 | p95 | p99 | \
             failed |\n\
             | --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
            people * GENERATIONS as u64,
        );
        for row in &self.rows {
            let ms = |percent| report::as_float(row.measured.percentile(percent)) / 1000.0;
            let rate = row.measured.rate();
            let before = row.before.map_or(String::new(), |before| format!("{:.2}", rate / before));
            let _ = writeln!(
                page,
                "| {} | {} | {} | {rate:.0} | {before} | {:.2} | {:.2} | {:.2} | {} |",
                row.case,
                row.scenario,
                row.connections,
                ms(50.0),
                ms(95.0),
                ms(99.0),
                row.measured.failed,
            );
        }
        page
    }
}

fn tell(text: &str) {
    #[expect(clippy::print_stderr, reason = "who waits is told")]
    {
        eprintln!("{text}");
    }
}
