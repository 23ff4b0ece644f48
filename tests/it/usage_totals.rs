//! Usage of days that are over: rolled up once, however often and by how many it is tried, and kept
//! as long as the settings say.

use std::time::Duration;

use gatehouse::clock::Clock as _;
use gatehouse::domain::day::Day;
use gatehouse::store::Store;
use gatehouse::store::usage_reports::{By, Filter, Page, People, Report, explain, report};
use gatehouse::store::usage_sweep::{UsageKept, UsageSwept, pass};
use serde_json::json;

use crate::support::database::{db_execute, db_number};
use crate::support::process::run;
use crate::support::{Backend, DAY, HOUR, World, on_both};
use crate::usage::their_organization;

const KEPT: UsageKept = UsageKept {
    by_person: Duration::from_hours(24 * 90),
    by_organization: Duration::from_hours(24 * 730),
    queries: Duration::from_hours(24 * 90),
    contexts: Duration::from_hours(24 * 90),
};

/// A person who has searched a few times today, and nothing of it is written yet.
async fn searched(world: &World, name: &str, times: usize) {
    let tokens = world.client("editor").await.signed_in(world, name).await;
    for _ in 0..times {
        let query = json!({"query": "install"});
        world.mcp(&tokens.access_token).tool("search_docs", query).await.expect(200);
    }
}

async fn store(world: &World) -> Store {
    Store::connect(&world.database_url).await.unwrap()
}

async fn swept(world: &World) -> UsageSwept {
    pass(&store(world).await, KEPT, world.clock.now()).await.unwrap()
}

async fn all(world: &World, by: By) -> Report {
    let days = Filter::days(Day::from_number(0), Day::of(world.clock.now()).plus(400));
    let page = Page { offset: 0, rows: 1000 };
    report(store(world).await.read(), &days, by, People::Counted, page).await.unwrap()
}

/// Calls and people of the first line.
async fn first(world: &World, by: By) -> (String, i64, Option<i64>) {
    let line = all(world, by).await.lines.remove(0);
    (line.key, line.calls, line.people)
}

async fn number(world: &World, sql: &str) -> i64 {
    db_number(&world.database_url, sql).await
}

const TOTAL: &str = "SELECT CAST(coalesce(sum(calls), 0) AS BIGINT) FROM usage_by_organization";

on_both! {
    async fn a_day_is_rolled_up_once_however_many_try(backend: Backend) {
        let world = World::start(backend).await;
        for name in ["alice", "bob"] {
            searched(&world, name, 3).await;
        }
        world.count_usage().await.unwrap();
        // It is not over yet, or has just ended.
        assert_eq!(swept(&world).await, UsageSwept::default());
        world.advance(DAY + HOUR);
        let now = world.clock.now();
        let mut passes = Vec::new();
        for _ in 0..4 {
            let store = store(&world).await;
            passes.push(tokio::spawn(async move { pass(&store, KEPT, now).await.unwrap() }));
        }
        let mut rolled_up = 0;
        for pass in passes {
            rolled_up += pass.await.unwrap().days_rolled_up;
        }
        assert_eq!((rolled_up, swept(&world).await.days_rolled_up), (1, 0));
        assert_eq!(number(&world, TOTAL).await, 6);
        assert_eq!(number(&world, "SELECT max(people) FROM usage_by_organization").await, 2);
        let line = first(&world, By::Organization).await;
        assert_eq!(line, (their_organization(&world), 6, Some(2)));
    }

    async fn a_roll_up_that_is_cut_short_has_done_nothing(backend: Backend) {
        let world = World::start(backend).await;
        searched(&world, "alice", 2).await;
        world.count_usage().await.unwrap();
        world.advance(DAY + HOUR);
        let away = "ALTER TABLE usage_by_organization RENAME TO away";
        db_execute(&world.database_url, away).await;
        pass(&store(&world).await, KEPT, world.clock.now()).await.unwrap_err();
        let back = "ALTER TABLE away RENAME TO usage_by_organization";
        db_execute(&world.database_url, back).await;
        let marked = "SELECT count(*) FROM usage_days WHERE rolled_up_at IS NOT NULL";
        assert_eq!(number(&world, marked).await, 0);
        assert_eq!(first(&world, By::Day).await.1, 2);
        assert_eq!(swept(&world).await.days_rolled_up, 1);
        assert_eq!(first(&world, By::Day).await.1, 2);
    }

    async fn what_comes_late_is_counted_too(backend: Backend) {
        let world = World::start(backend).await;
        searched(&world, "alice", 2).await;
        world.count_usage().await.unwrap();
        searched(&world, "bob", 1).await;
        // The house could not write for a day, say.
        world.advance(DAY + HOUR);
        assert_eq!(swept(&world).await.days_rolled_up, 1);
        assert_eq!(first(&world, By::Day).await.1, 2);
        world.count_usage().await.unwrap();
        assert_eq!(first(&world, By::Day).await.1, 3);
        assert_eq!(number(&world, TOTAL).await, 2);
        assert_eq!(swept(&world).await.days_rolled_up, 1);
        assert_eq!((first(&world, By::Day).await.1, number(&world, TOTAL).await), (3, 3));
    }

    async fn counts_go_when_their_time_is_over_and_no_sooner(backend: Backend) {
        let world = World::start(backend).await;
        searched(&world, "alice", 2).await;
        world.count_usage().await.unwrap();
        world.advance(90 * DAY);
        let kept = UsageSwept { days_rolled_up: 90, ..UsageSwept::default() };
        assert_eq!(swept(&world).await, kept);
        world.advance(DAY);
        assert_eq!(swept(&world).await.usage_by_person, 1);
        // People are not known one by one any more.
        let report = all(&world, By::Organization).await;
        assert_eq!((report.lines[0].calls, report.people_since), (2, None));
        world.advance(639 * DAY);
        assert_eq!(swept(&world).await, UsageSwept::default());
        world.advance(DAY);
        assert_eq!(swept(&world).await.usage_by_organization, 1);
        assert!(all(&world, By::Organization).await.lines.is_empty());
        for table in ["usage_by_person", "usage_by_organization", "usage_writers"] {
            assert_eq!(number(&world, &format!("SELECT count(*) FROM {table}")).await, 0);
        }
    }

    async fn a_million_rows_are_made_up_and_reported_by_their_keys(backend: Backend) {
        let world = World::start(backend).await;
        let folder = tempfile::tempdir().unwrap();
        let fill = "usage fill --people 10500 --days 90 --seed 7";
        let (code, said) = run(&world, folder.path(), fill, &[]).await;
        assert_eq!(code, Some(0), "{said}");
        let rows = number(&world, "SELECT count(*) FROM usage_by_person").await;
        assert!(rows > 1_000_000, "{rows}");
        if backend == Backend::Postgres {
            // As the database does by itself a moment later.
            db_execute(&world.database_url, "ANALYZE usage_by_person").await;
        }
        let last = number(&world, "SELECT max(day) FROM usage_by_person").await;
        let last = Day::from_number(last);
        let week = Filter::days(last.plus(-6), last);
        let ours = Some("domain:made-up-3.example".to_owned());
        let one = Filter { organization: ours, ..week.clone() };
        let store = store(&world).await;
        for (filter, by) in [(&week, By::Organization), (&week, By::Day), (&one, By::Tool)] {
            let plan = explain(store.read(), filter, by).await.unwrap().join("\n");
            let whole = ["SCAN usage_by_person", "Seq Scan on usage_by_person"];
            let scans_all = whole.iter().any(|words| plan.contains(words));
            assert!(plan.contains("usage_by_person") && !scans_all, "{plan}");
        }
        let (code, json) = run(&world, folder.path(), "usage --by product --json", &[]).await;
        assert_eq!(code, Some(0), "{json}");
        let json: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!(json["usage"].as_array().unwrap().len(), 6, "{json}");
        assert!(json["usage"][0]["p95_ms"].as_u64() > json["usage"][0]["p50_ms"].as_u64());
        let (code, csv) = run(&world, folder.path(), "usage --by day --csv", &[]).await;
        assert_eq!(code, Some(0), "{csv}");
        assert!(csv.starts_with("day,calls,people,p50_ms,p95_ms,mean_ms\n"), "{csv}");
        let public = [("PUBLIC_URL", "https://docs.example.com")];
        let (code, _) = run(&world, folder.path(), fill, &public).await;
        assert_eq!(code, Some(1));
        for wrong in ["usage --from 2026-02-30", "usage --from 2026-02-02 --to 2026-02-01"] {
            assert_eq!(run(&world, folder.path(), wrong, &[]).await.0, Some(1), "{wrong}");
        }
    }
}
