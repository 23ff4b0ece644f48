//! Usage is counted exactly, by nobody who waits for it, whatever becomes of the database or the
//! replicas meanwhile.
//!
//! `World::count_usage` does at once what a house does unasked two seconds later.

use gatehouse::clock::Clock as _;
use gatehouse::domain::day::Day;
use gatehouse::store::Store;
use gatehouse::store::usage_reports::{By, Filter, Line, Page, People, report};
use serde_json::json;

use crate::support::database::{db_dump_of, db_execute, db_number, postgres_to_relay};
use crate::support::relay::{Blow, Moment};
use crate::support::{Backend, McpClient, Process, Relay, World, on_both};

/// Everything there is of today.
pub async fn today(world: &World, by: By) -> Vec<Line> {
    let store = Store::connect(&world.database_url).await.unwrap();
    let day = Day::of(world.clock.now());
    let page = Page { offset: 0, rows: 100 };
    let days = Filter::days(day, day);
    let found = report(store.read(), &days, by, People::Counted, page).await.unwrap();
    store.close().await;
    found.lines
}

/// The lines of a report, as `key calls people`.
pub async fn counted(world: &World, by: By) -> Vec<String> {
    let line = |line: Line| format!("{} {} {}", line.key, line.calls, line.people.unwrap());
    today(world, by).await.into_iter().map(line).collect()
}

/// The key of the organization that the provider claims of everybody.
pub fn their_organization(world: &World) -> String {
    format!("provider:{}|org_1", world.auth0.issuer())
}

pub async fn calls_written(world: &World) -> i64 {
    let sql = "SELECT CAST(coalesce(sum(calls), 0) AS BIGINT) FROM usage_by_person";
    db_number(&world.database_url, sql).await
}

async fn search(mcp: &McpClient, query: &str) {
    mcp.tool("search_docs", json!({ "query": query })).await.expect(200);
}

on_both! {
    async fn each_call_counts_once_whoever_answers_it(backend: Backend) {
        let world = World::with(backend, &[("auth", "open"), ("limit_mcp", "1000/15m")]).await;
        let replica = world.replica(&[]).await;
        let editor = world.client("claude-code").await;
        let agent = world.client("Our own agent").await;
        let mut people = Vec::new();
        for (client, name) in [(&editor, "alice"), (&editor, "bob"), (&agent, "carol")] {
            let tokens = client.signed_in(&world, name).await;
            people.push(world.mcp(&tokens.access_token));
            people.push(world.mcp(&tokens.access_token).at(&replica));
        }
        let calls: Vec<_> = people.into_iter().map(|mcp| tokio::spawn(async move {
            for _ in 0..10 {
                search(&mcp, "install").await;
            }
            search(&mcp, "xyzzy").await;
            mcp.tool("search_docs", json!({})).await.expect(200);
        })).collect();
        // Written while calls come in, by both at once.
        for _ in 0..20 {
            world.count_usage().await.unwrap();
        }
        for call in calls {
            call.await.unwrap();
        }
        search(&world.anonymous_mcp(), "install").await;
        world.anonymous_mcp().tool("whoami", json!({})).await.expect(401);
        world.count_usage().await.unwrap();
        assert_eq!(
            counted(&world, By::Outcome).await,
            ["answered 61 3", "empty 6 3", "refused 6 3", "unauthorized 1 0"]
        );
        assert_eq!(
            counted(&world, By::Product).await,
            ["Claude Code 48 2", "Our own agent 24 1", "unknown 2 0"]
        );
        assert_eq!(
            counted(&world, By::Organization).await,
            [format!("{} 72 3", their_organization(&world)), " 2 0".to_owned()]
        );
        assert_eq!(counted(&world, By::Tool).await, ["search_docs 73 3", "whoami 1 0"]);
        assert_eq!(counted(&world, By::Revision).await, ["2025-11-25 74 3"]);
        let latency = today(&world, By::Day).await[0].latency;
        assert_eq!(latency.calls(), 74);
        assert!(latency.quantile_ms(500).is_some());
        let rows = db_dump_of(&world.database_url, "usage_by_person").await;
        let rows = String::from_utf8_lossy(&rows);
        assert!(rows.contains("Claude Code") && !rows.contains("alice"), "{rows}");
    }

    async fn a_stop_writes_what_is_left(backend: Backend) {
        let mut world = World::start(backend).await;
        let tokens = world.client("editor").await.signed_in(&world, "alice").await;
        for _ in 0..5 {
            search(&world.mcp(&tokens.access_token), "install").await;
        }
        world.restart(&[]).await;
        assert_eq!(calls_written(&world).await, 5);
    }

    async fn a_database_that_is_away_costs_no_count(backend: Backend) {
        let world = World::start(backend).await;
        let tokens = world.client("editor").await.signed_in(&world, "alice").await;
        let mcp = world.mcp(&tokens.access_token);
        search(&mcp, "install").await;
        db_execute(&world.database_url, "ALTER TABLE usage_by_person RENAME TO away").await;
        for _ in 0..3 {
            search(&mcp, "install").await;
            world.count_usage().await.unwrap_err();
        }
        db_execute(&world.database_url, "ALTER TABLE away RENAME TO usage_by_person").await;
        search(&mcp, "install").await;
        world.count_usage().await.unwrap();
        world.count_usage().await.unwrap();
        assert_eq!(counted(&world, By::Outcome).await, ["answered 5 1"]);
    }

    async fn a_person_who_is_gone_is_counted_as_nobody_and_takes_their_counts_along(
        backend: Backend
    ) {
        let world = World::start(backend).await;
        let tokens = world.client("editor").await.signed_in(&world, "alice").await;
        search(&world.mcp(&tokens.access_token), "install").await;
        world.count_usage().await.unwrap();
        assert_eq!(calls_written(&world).await, 1);
        search(&world.mcp(&tokens.access_token), "install").await;
        for table in ["grants", "users"] {
            db_execute(&world.database_url, &format!("DELETE FROM {table}")).await;
        }
        assert_eq!(calls_written(&world).await, 0);
        world.count_usage().await.unwrap();
        assert_eq!(counted(&world, By::Organization).await, [" 1 0"]);
    }

    async fn a_killed_process_loses_no_more_than_what_was_not_written(backend: Backend) {
        let mut world = World::start(backend).await;
        let folder = tempfile::tempdir().unwrap();
        let mut process = Process::start(&world, folder.path(), "p", &[]).await;
        world.url.clone_from(&process.url);
        world.local.clone_from(&process.url);
        world.auth0.in_real_time();
        world.keep_no_connections();
        let tokens = world.client("editor").await.signed_in(&world, "alice").await;
        for _ in 0..5 {
            search(&world.mcp(&tokens.access_token), "install").await;
        }
        // Unasked, and soon: the deadline is for the slowest machine.
        let written = async {
            while calls_written(&world).await < 5 {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(30 * crate::support::SECOND, written).await.unwrap();
        for _ in 0..3 {
            search(&world.mcp(&tokens.access_token), "install").await;
        }
        process.kill();
        let left = calls_written(&world).await;
        assert!((5..=8).contains(&left), "{left}");
        process.start_again(&world).await;
        search(&world.mcp(&tokens.access_token), "install").await;
        drop(process);
    }
}

/// Breaks off what counts a call at each of so many messages, before it arrives and after: how many
/// calls there were, and how often something broke.
pub async fn counted_with_breaks(
    world: &World,
    relay: &Relay,
    mcp: &McpClient,
    messages: usize,
) -> (i64, usize) {
    let (mut calls, mut breaks) = (0, 0);
    for is_delivered in [false, true] {
        for message in 0..messages {
            search(mcp, "install").await;
            calls += 1;
            relay.arm(Moment { message, is_delivered }, Blow::Cut);
            // Whether it fails is as chance will have it: some breaks are mended on the way.
            drop(world.count_usage().await);
            breaks += usize::from(relay.disarm().await);
            relay.settled().await;
        }
    }
    (calls, breaks)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_that_nobody_answered_counts_once() {
    let Some(server) = postgres_to_relay() else { return };
    let relay = Relay::to(vec![server]).await;
    let world = World::behind(Backend::Postgres, Some(&relay), &[]).await;
    let tokens = world.client("editor").await.signed_in(&world, "alice").await;
    let mcp = world.mcp(&tokens.access_token);
    let (calls, breaks) = counted_with_breaks(&world, &relay, &mcp, 12).await;
    world.count_usage().await.unwrap();
    assert!(breaks >= 8, "begin, writes and commit were broken off: {breaks}");
    assert_eq!(calls_written(&world).await, calls);
}
