//! One run: the limits, then every scenario, then what each asks of the database.

use std::error::Error;
use std::fs;

use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::Request;
use serde_json::json;
use sqlx::postgres::PgPool;

use crate::compare::{BARE, Comparison, EMPTY, HOUSE_ES256, LIMIT, LIMIT_ES256, Place};
use crate::counter;
use crate::house::Plot;
use crate::limits;
use crate::load::{Answer, Measured, Step, Visitor, drive};
use crate::provider::Provider;
use crate::scenarios::{Ground, SCENARIOS};
use crate::server::{Server, free_address};

/// Operations whose statements are counted.
const COUNTED: usize = 100;

/// How long a pool may take to have its connections back.
const SETTLED_WITHIN: Duration = Duration::from_millis(300);

/// What to do.
pub struct Plan {
    /// The house.
    pub plot: Plot,
    /// A Postgres to make a database on; without one SQLite is measured.
    pub postgres: Option<String>,
    /// The scenarios; all when empty.
    pub scenarios: Vec<String>,
    /// How many at once.
    pub connections: Vec<usize>,
    /// How long before it counts, and how long it does.
    pub durations: (Duration, Duration),
}

/// A scenario at so many connections.
#[derive(Clone)]
pub struct Row {
    /// Who was asked.
    pub server: &'static str,
    /// What was asked.
    pub scenario: String,
    /// By how many at once.
    pub connections: usize,
    /// How that went.
    pub measured: Measured,
    /// Processor time of the server for each operation, in microseconds.
    pub cpu_micros: f64,
    /// Memory of the server afterwards, in KiB.
    pub resident: u64,
}

/// What an operation asks of the database.
pub struct Asked {
    /// The scenario.
    pub scenario: String,
    /// Statements of an operation.
    pub statements: f64,
    /// Round trips of an operation; those without a statement are pings.
    pub round_trips: f64,
}

/// Everything that was found out.
#[derive(Default)]
pub struct Findings {
    /// The scenarios.
    pub rows: Vec<Row>,
    /// What was compared.
    pub comparisons: Vec<Comparison>,
    /// The database's part.
    pub asked: Vec<Asked>,
    /// What the machine does at most, a second.
    pub limits: Vec<(String, f64)>,
    /// How long the house took to answer, with a migrated database.
    pub ready_within: Duration,
    /// The same without a folder of pages: with the manual alone.
    pub ready_with_manual: Duration,
    /// Memory before the first request, in KiB.
    pub resident_idle: u64,
    /// The most memory there ever was, in KiB.
    pub resident_most: u64,
    /// What the database calls itself, and how it writes.
    pub database: String,
}

/// Everything in order.
pub async fn run(plan: &Plan) -> Result<Findings, Box<dyn Error + Send + Sync>> {
    let mut findings = Findings::default();
    let provider = Provider::start().await.map_err(|error| error.to_string())?;
    let mut ground = Ground::new(&provider);
    let url = plan.database(&mut findings).await?;
    let rs256 = "RS256";
    // The first start migrates; the ones behind it are timed.
    drop(plan.plot.build(&provider, &url, rs256).await?);
    let manual = Plot { corpus: None, api_specs: None, ..plan.plot.clone() };
    findings.ready_with_manual = manual.build(&provider, &url, rs256).await?.started_within;
    let house = plan.plot.build(&provider, &url, rs256).await?;
    findings.ready_within = house.started_within;
    // What a start leaves to do is done by then.
    tokio::time::sleep(Duration::from_secs(1)).await;
    findings.resident_idle = house.taken().ok_or("it has gone")?.resident;
    let most = plan.connections.iter().copied().max().unwrap_or(1);
    ground.mint(&house, most + 16).await?;
    ground.page = a_page(&ground, &house).await?;
    let tools = ground.result(&house, "tools/list", json!({})).await?["tools"].to_string();
    for connections in &plan.connections {
        for (scenario, _) in SCENARIOS.iter().filter(|(name, _)| plan.includes(name)) {
            findings.row(plan, &ground, &house, "gatehouse", scenario, *connections).await?;
        }
    }
    findings.resident_most = house.taken().ok_or("it has gone")?.resident_most;
    measure_signatures(&mut findings)?;
    let mut places = plan.others(&mut findings, &ground, &url, &tools).await?;
    places.insert(0, Place { name: "gatehouse", server: house, ground: ground.clone() });
    findings.compare(plan, &places).await?;
    drop(places);
    if plan.postgres.is_some() {
        plan.count_statements(&mut findings, &ground, &url).await?;
        if let Some(rate) = limits::pgbench(&url, &plan.plot.folder, plan.durations.1).await? {
            findings.limits.push(("the rotation by pgbench, 16 clients".to_owned(), rate));
        }
    }
    Ok(findings)
}

fn measure_signatures(findings: &mut Findings) -> Result<(), Box<dyn Error + Send + Sync>> {
    for alg in ["RS256", "ES256"] {
        let (signing, verifying) = limits::signatures(alg, Duration::from_millis(500))?;
        findings.limits.push((format!("{alg} signatures, one core"), signing));
        findings.limits.push((format!("{alg} verifications, one core"), verifying));
    }
    Ok(())
}

/// A new database on a server, and what the server calls itself and how it writes.
pub async fn new_database(
    server: &str,
    what: &str,
) -> Result<(String, String), Box<dyn Error + Send + Sync>> {
    let pool = PgPool::connect(server).await?;
    let name = format!("gatehouse_{what}_{}", std::process::id());
    sqlx::query(sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}"))).execute(&pool).await?;
    let database = sqlx::query_scalar(
        "SELECT 'PostgreSQL ' || current_setting('server_version') || ', fsync '
            || current_setting('fsync') || ', synchronous_commit '
            || current_setting('synchronous_commit') || ', shared_buffers '
            || current_setting('shared_buffers')",
    )
    .fetch_one(&pool)
    .await?;
    pool.close().await;
    let mut url: url::Url = server.parse()?;
    url.set_path(&name);
    // So that what is counted is not sealed.
    url.set_query(Some("sslmode=disable"));
    Ok((url.into(), database))
}

/// A page that a search finds.
async fn a_page(ground: &Ground, house: &Server) -> Result<String, String> {
    let asked = json!({ "name": "search_docs", "arguments": { "query": "install" } });
    let found = ground.result(house, "tools/call", asked).await?;
    let path = found["structuredContent"]["sections"][0]["path"].as_str();
    path.map(str::to_owned).ok_or_else(|| format!("no page in {found:.300}"))
}

impl Plan {
    /// Whether this scenario is wanted.
    pub fn includes(&self, name: &str) -> bool {
        self.scenarios.is_empty() || self.scenarios.iter().any(|scenario| scenario == name)
    }

    /// An empty database.
    async fn database(
        &self,
        findings: &mut Findings,
    ) -> Result<String, Box<dyn Error + Send + Sync>> {
        let Some(server) = &self.postgres else {
            "SQLite, WAL, synchronous=FULL".clone_into(&mut findings.database);
            return Ok(self.plot.sqlite("bench.db")?);
        };
        let (url, database) = new_database(server, "bench").await?;
        findings.database = database;
        Ok(url)
    }

    /// What the house is compared with, each measured and left running: the empty endpoint, rmcp
    /// alone, the limit programs, and a house that signs with the other algorithm.
    async fn others(
        &self,
        findings: &mut Findings,
        ground: &Ground,
        url: &str,
        tools: &str,
    ) -> Result<Vec<Place>, Box<dyn Error + Send + Sync>> {
        let file = self.plot.folder.join("tools.json");
        fs::write(&file, tools)?;
        let file = file.to_string_lossy();
        let mut others = Vec::new();
        if ["metadata", "jwks"].iter().any(|name| self.includes(name)) {
            others.push((EMPTY, vec!["serve-empty"], "empty"));
        }
        if self.includes("list") {
            others.push((BARE, vec!["serve-mcp", "--tools", &file], "bare"));
        }
        if self.includes("refresh") && self.postgres.is_some() {
            let limit = |alg| vec!["serve-limit", "--alg", alg, "--database", url];
            others.push((LIMIT, limit("RS256"), "refresh"));
            others.push((LIMIT_ES256, limit("ES256"), "refresh"));
        }
        let mut places = Vec::new();
        for (name, arguments, scenario) in others {
            let server = self.start_own(&arguments).await?;
            for connections in &self.connections {
                findings.row(self, ground, &server, name, scenario, *connections).await?;
            }
            places.push(Place { name, server, ground: ground.clone() });
        }
        if self.includes("refresh") {
            places.push(self.es256(findings, &ground.provider).await?);
        }
        Ok(places)
    }

    /// A house with ES256, on a database of its own: its keys are others.
    async fn es256(
        &self,
        findings: &mut Findings,
        provider: &Provider,
    ) -> Result<Place, Box<dyn Error + Send + Sync>> {
        let ground = Ground::new(provider);
        let url = match &self.postgres {
            Some(server) => new_database(server, "bench_es256").await?.0,
            None => self.plot.sqlite("es256.db")?,
        };
        let server = self.plot.build_at(free_address()?, provider, &url, "ES256").await?;
        let most = self.connections.iter().copied().max().unwrap_or(1);
        ground.mint(&server, most + 16).await?;
        for connections in &self.connections {
            findings.row(self, &ground, &server, HOUSE_ES256, "refresh", *connections).await?;
        }
        Ok(Place { name: HOUSE_ES256, server, ground })
    }

    /// A server of this program's, in a process of its own.
    async fn start_own(&self, arguments: &[&str]) -> Result<Server, Box<dyn Error + Send + Sync>> {
        let address = free_address()?;
        let program = std::env::current_exe()?;
        let listen = address.to_string();
        let arguments = [arguments, &["--listen", &listen]].concat();
        let folder = &self.plot.folder;
        Ok(Server::start(&program.to_string_lossy(), &arguments, &[], folder, address, "/").await?)
    }

    /// Each scenario alone and a known number of times, through a relay that counts.
    async fn count_statements(
        &self,
        findings: &mut Findings,
        ground: &Ground,
        url: &str,
    ) -> Result<(), Box<dyn Error + Send + Sync>> {
        let (relay, counts) = counter::relay(counter::server_of(url)?, Duration::ZERO).await?;
        let url = counter::through(url, relay)?;
        let house = self.plot.build(&ground.provider, &url, "RS256").await?;
        for (scenario, _) in SCENARIOS.iter().filter(|(name, _)| self.includes(name)) {
            // The first ones prepare statements and fill caches.
            for is_counted in [false, true] {
                let left = if is_counted { COUNTED } else { COUNTED / 4 };
                let inner = ground.visitors(scenario, 1)?.pop().ok_or("nobody")?;
                let visitor: Box<dyn Visitor> = Box::new(Numbered { inner, left });
                tokio::time::sleep(SETTLED_WITHIN).await;
                let before = counts.read();
                let long = Duration::from_mins(1);
                let driven = drive(house.address, vec![visitor], Duration::ZERO, long).await;
                tokio::time::sleep(SETTLED_WITHIN).await;
                let after = counts.read();
                if is_counted && driven.total > 0 {
                    let each = |after: u64, before: u64| ratio(after - before, driven.total);
                    findings.asked.push(Asked {
                        scenario: (*scenario).to_owned(),
                        statements: each(after.0, before.0),
                        round_trips: each(after.1, before.1),
                    });
                }
            }
        }
        Ok(())
    }
}

#[expect(clippy::cast_precision_loss, reason = "nobody counts to 2^52")]
fn ratio(part: u64, whole: u64) -> f64 {
    part as f64 / whole as f64
}

impl Findings {
    async fn row(
        &mut self,
        plan: &Plan,
        ground: &Ground,
        server: &Server,
        name: &'static str,
        scenario: &str,
        connections: usize,
    ) -> Result<(), Box<dyn Error + Send + Sync>> {
        let (mut warm_up, duration) = plan.durations;
        if scenario == "exchange" {
            // There are only so many codes.
            warm_up = Duration::ZERO;
        }
        let visitors = ground.visitors(scenario, connections)?;
        let before = server.taken().ok_or("it has gone")?;
        let measured = drive(server.address, visitors, warm_up, duration).await;
        let after = server.taken().ok_or("it has gone")?;
        let cpu_micros = (after.cpu - before.cpu) * 1e6 / ratio(measured.total.max(1), 1);
        let rate = measured.rate();
        #[expect(clippy::print_stderr, reason = "who waits is told")]
        {
            eprintln!("{name}: {scenario} at {connections}: {rate:.0}/s");
            if let Some(failure) = &measured.first_failure {
                eprintln!("  {} failed: {failure:.300}", measured.failed);
            }
        }
        self.rows.push(Row {
            server: name,
            scenario: scenario.to_owned(),
            connections,
            measured,
            cpu_micros,
            resident: after.resident,
        });
        Ok(())
    }

    /// The row of a scenario.
    pub fn find(&self, server: &str, scenario: &str, connections: usize) -> Option<&Row> {
        self.rows.iter().find(|row| {
            row.server == server && row.scenario == scenario && row.connections == connections
        })
    }
}

/// Somebody who stops after so many operations.
struct Numbered {
    inner: Box<dyn Visitor>,
    left: usize,
}

impl Visitor for Numbered {
    fn ask(&mut self) -> Option<Request<Full<Bytes>>> {
        if self.left == 0 { None } else { self.inner.ask() }
    }

    fn hear(&mut self, answer: Answer) -> Result<Step, String> {
        let heard = self.inner.hear(answer);
        if !matches!(heard, Ok(Step::More)) {
            self.left -= 1;
        }
        heard
    }
}
