//! What a report says a policy would do is what the policy then does.

use gatehouse::clock::Clock as _;
use gatehouse::domain::enforcement::Policy;
use gatehouse::domain::replay::{Report, SignsIn};
use gatehouse::flow::enforcement::reading;
use gatehouse::store::Store;
use serde_json::{Value, json};

use crate::enforcement::{GRACE, address, grace, is_asked, message, search, send};
use crate::support::database::{db_execute, db_number};
use crate::support::process::run;
use crate::support::{Backend, DAY, World, on_both};

/// What these settings ask for.
fn policy(share_hundredths: u16, clients: &[&str], tools: &[&str]) -> Policy {
    let texts = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
    let (clients, tools) = (texts(clients), texts(tools));
    reading::policy(share_hundredths, &clients, &tools, &tools).unwrap()
}

async fn report(world: &World, policy: Policy) -> Report {
    world.tend_enforcement().await.unwrap();
    let store = Store::connect(&world.database_url).await.unwrap();
    let report = reading::report(&store, policy, 1, world.clock.now()).await.unwrap();
    store.close().await;
    report
}

/// Some callers, each with a client and requests of their own.
fn traffic() -> Vec<(String, &'static str, Value)> {
    let read = json!({"name": "read_page", "arguments": {"path": "tides.adoc"}});
    let initialize = json!({
        "protocolVersion": "2025-11-25", "capabilities": {},
        "clientInfo": {"name": "cursor-vscode", "version": "1"},
    });
    let mut requests = Vec::new();
    for number in 0..60 {
        let agent = ["node", "cursor/1", "Zed/2", "claude-code/3"][(number % 4) as usize];
        requests.push((address(number), agent, search()));
        if number % 3 == 0 {
            requests.push((address(number), agent, message("tools/call", read.clone())));
        }
        if number % 5 == 0 {
            requests.push((address(number), agent, message("initialize", initialize.clone())));
            requests.push((address(number), agent, message("tools/list", json!({}))));
        }
    }
    requests
}

/// Sends all of it; who was asked to sign in, once for each request.
async fn play(world: &World) -> Vec<(String, &'static str)> {
    let mut asked = Vec::new();
    for (from, agent, body) in traffic() {
        if is_asked(world, &from, agent, &body).await {
            asked.push((from, agent));
        }
    }
    asked
}

on_both! {
    async fn a_report_says_what_the_policy_then_does(backend: Backend) {
        let mut world = grace(backend, &[("enforce_halt_below", "0")]).await;
        assert!(play(&world).await.is_empty());
        let policies = [
            (2_500, "25", "", ""),
            (0, "0", "Cursor,Claude Code", ""),
            (0, "0", "", "read_page"),
            (1_000, "10%", "unknown", "read_page"),
            (10_000, "100", "", ""),
        ];
        let listed = |text: &'static str| text.split(',').filter(|name| !name.is_empty());
        let mut told = Vec::new();
        for (hundredths, _, clients, tools) in policies {
            let clients: Vec<_> = listed(clients).collect();
            let tools: Vec<_> = listed(tools).collect();
            told.push(report(&world, policy(hundredths, &clients, &tools)).await);
        }
        for ((_, share, clients, tools), told) in policies.into_iter().zip(told) {
            world.advance(DAY);
            let settings = [
                ("enforce_share", share), ("enforce_clients", clients), ("enforce_tools", tools),
            ];
            world.restart(&settings).await;
            let asked = play(&world).await;
            let calls = u64::try_from(asked.len()).unwrap();
            assert!(calls > 0, "{}", told.policy);
            assert_eq!(told.total.asked_calls, calls, "{}", told.policy);
            let mut callers: Vec<_> = asked.iter().map(|(from, _)| from).collect();
            callers.dedup();
            assert_eq!(told.total.asked_callers, u64::try_from(callers.len()).unwrap());
            for (product, agent) in [("Zed", "Zed/2"), ("Claude Code", "claude-code/3")] {
                // What `initialize` says of itself is another product than the header's.
                let line = told.products.iter().find(|(key, _, _)| key == product).unwrap();
                let by_agent = asked.iter().filter(|(_, with)| *with == agent).count();
                let by_agent = u64::try_from(by_agent).unwrap();
                assert!(line.2.asked_calls <= by_agent, "{product} {line:?}");
            }
            // The day is recorded as it was, so it tells the same again.
            let again = report(&world, told.policy.clone()).await;
            assert_eq!(again.challenged, calls);
            let days = |report: Report| Report { from: told.from, to: told.to, ..report };
            assert_eq!(days(Report { challenged: 0, ..again }), told);
        }
    }

    async fn a_report_tells_who_has_signed_in_before_and_how_much_comes_without(backend: Backend) {
        let world = grace(backend, &[]).await;
        let tokens = world.client("editor").await.signed_in(&world, "alice").await;
        let signed_in = world.mcp(&tokens.access_token);
        send(&signed_in, "198.51.100.1", "cursor/1", &search()).await.expect(200);
        for agent in ["cursor/1", "zed/1", "node"] {
            assert!(!is_asked(&world, "198.51.100.1", agent, &search()).await);
        }
        world.count_usage().await.unwrap();
        let found = report(&world, Policy::everybody()).await;
        let signs_in = |product: &str| {
            found.products.iter().find(|(key, _, _)| key == product).map(|(_, how, _)| *how)
        };
        assert_eq!(signs_in("Cursor"), Some(SignsIn::Seen));
        assert_eq!(signs_in("Zed"), Some(SignsIn::Never));
        assert_eq!(signs_in("unknown"), Some(SignsIn::Unnamed));
        assert_eq!((found.tool_calls, found.signed_in_tool_calls), (3, 1));
        assert_eq!(found.anonymous_per_mille(), Some(750));
        assert_eq!((found.total.callers, found.total.asked_calls), (1, 3));
        assert_eq!(found.networks[0].0, "198.51.100.0/24");
    }

    async fn many_callers_are_read_page_by_page_and_each_is_whole(backend: Backend) {
        let world = grace(backend, &[]).await;
        let day = world.clock.now().seconds() / 86_400;
        // 4,000 callers of three rows each: a page holds no whole number of them.
        let (hash, numbers) = match backend {
            Backend::Sqlite => (
                "CAST(printf('%032d', n) AS BLOB)",
                "WITH RECURSIVE numbers (n) AS
                    (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 4000)",
            ),
            Backend::Postgres => (
                "convert_to(lpad(n::text, 32, '0'), 'UTF8')",
                "WITH numbers (n) AS (SELECT generate_series(1, 4000))",
            ),
        };
        for product in ["Cursor", "Zed", "unknown"] {
            let insert = format!(
                "{numbers} INSERT INTO anonymous_callers
                 SELECT {day}, {hash}, '198.51.100.0/24', '{product}', 'search_docs', 'tools/call',
                    2, 0 FROM numbers"
            );
            let insert = match backend {
                Backend::Sqlite => insert,
                Backend::Postgres => insert.replace("anonymous_callers\n", "anonymous_callers "),
            };
            db_execute(&world.database_url, &insert).await;
        }
        let found = report(&world, policy(0, &["Zed"], &[])).await;
        let total = found.total;
        assert_eq!((total.callers, total.calls), (4_000, 24_000));
        assert_eq!((total.asked_callers, total.asked_calls), (4_000, 8_000));
    }

    async fn what_is_old_is_deleted(backend: Backend) {
        let world = grace(backend, &[("enforce_share", "100")]).await;
        assert!(is_asked(&world, "198.51.100.1", "node", &search()).await);
        world.tend_enforcement().await.unwrap();
        let store = Store::connect(&world.database_url).await.unwrap();
        let mut swept = Vec::new();
        for _ in 0..3 {
            let now = world.clock.now();
            let pass = reading::sweep(&store, 2 * DAY, now).await.unwrap();
            swept.push((pass.anonymous_callers, pass.challenged_callers));
            world.advance(DAY + DAY / 2);
        }
        assert_eq!(swept, [(0, 0), (0, 0), (1, 1)]);
    }

    async fn commands_say_how_it_stands_and_go_on(backend: Backend) {
        let world = World::start(backend).await;
        let folder = tempfile::tempdir().unwrap();
        let settings = [("AUTH", "grace"), ("ENFORCE_SHARE", "12.5%"), ("ENFORCE_CLIENTS", "zed")];
        let (code, said) = run(&world, folder.path(), "enforcement", &settings).await;
        assert_eq!(code, Some(0), "{said}");
        assert!(said.contains("policy: 12.5% of callers, clients: Zed"), "{said}");
        assert!(said.contains("standing: in force"), "{said}");
        let halt = match backend {
            Backend::Sqlite => "randomblob(16)",
            Backend::Postgres => "gen_random_uuid()",
        };
        let halt = format!(
            "INSERT INTO enforcement_halts VALUES ({halt}, 1800000000000, 20, 3, NULL)"
        );
        db_execute(&world.database_url, &halt).await;
        let (_, said) = run(&world, folder.path(), "enforcement status", &settings).await;
        assert!(said.contains("standing: halted"), "{said}");
        assert!(said.contains("2027-01-15 08:00 UTC, 3 of 20 callers came back"), "{said}");
        let (_, said) = run(&world, folder.path(), "enforcement resume", &[]).await;
        assert!(said.contains("enforcement goes on"), "{said}");
        let open = "SELECT count(*) FROM enforcement_halts WHERE resumed_at IS NULL";
        assert_eq!(db_number(&world.database_url, open).await, 0);
        let (_, said) = run(&world, folder.path(), "enforcement resume", &[]).await;
        assert!(said.contains("not halted"), "{said}");
        let command = "enforcement report --clients cursor --json";
        let (code, said) = run(&world, folder.path(), command, &[]).await;
        assert_eq!(code, Some(0), "{said}");
        let found: Value = serde_json::from_str(&said).unwrap();
        assert_eq!(found["policy"], "0% of callers, clients: Cursor");
        let command = "enforcement report --tools no_such_tool";
        let (code, said) = run(&world, folder.path(), command, &[]).await;
        assert_eq!(code, Some(1), "{said}");
    }

    async fn what_means_nothing_stops_the_start(backend: Backend) {
        let world = World::start(backend).await;
        for (name, value, complaint) in [
            ("enforce_tools", "search_docs,serch_docs", "enforce_tools: no tool is called"),
            ("enforce_clients", "Netscape", "enforce_clients: \"Netscape\" is no client"),
        ] {
            let settings = [&GRACE[..], &[(name, value)]].concat();
            let refused = world.house_with(&settings).await.map(|_| ()).unwrap_err().to_string();
            assert!(refused.starts_with(complaint), "{refused}");
        }
        let folder = tempfile::tempdir().unwrap();
        for (name, value) in [("ENFORCE_SHARE", "1"), ("ENFORCE_TOOLS", "search_docs")] {
            let open = [("AUTH", "open"), (name, value)];
            let (code, said) = run(&world, folder.path(), "check", &open).await;
            assert_eq!(code, Some(1), "{said}");
        }
        let unknown = [("AUTH", "grace"), ("ENFORCE_TOOLS", "serch_docs")];
        let (code, said) = run(&world, folder.path(), "check", &unknown).await;
        assert_eq!(code, Some(1), "{said}");
        assert!(said.contains("FAIL  enforce_tools: "), "{said}");
    }
}
