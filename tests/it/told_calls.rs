//! Sinks that listen to calls of tools: each call of a person is told of if and only if it is
//! counted, and once, whatever becomes of the database or the replicas meanwhile.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::support::database::{db_execute, db_number, postgres_to_relay};
use crate::support::sinks::{SECRETS, body, erased, sink};
use crate::support::{Backend, HOUR, McpClient, Receiver, Relay, Tokens, World, on_both};
use crate::usage::{calls_written, counted_with_breaks};

const FIELDS: &str = "\"id\", \"client_product\", \"tool\", \"outcome\"";

/// A house whose sink listens to calls.
async fn house(backend: Backend, relay: Option<&Relay>, receiver: &Receiver) -> World {
    let file = sink("analytics", &receiver.url(), "\"tool.called\"", FIELDS, "");
    World::behind_with_file(backend, relay, &[("auth", "open")], &file, &SECRETS).await
}

async fn search(mcp: &McpClient, query: &str) {
    mcp.tool("search_docs", json!({ "query": query })).await.expect(200);
}

async fn signed_in(world: &World, client: &str, person: &str) -> Tokens {
    world.client(client).await.signed_in(world, person).await
}

/// All calls that the sink was told of, each as often as it was.
async fn events(world: &World, receiver: &Receiver) -> Vec<Value> {
    world.deliver().await.expect("it answers");
    let letters = receiver.received().await;
    let events = letters.iter().map(|letter| body(letter)["events"].as_array().cloned());
    events.flat_map(|events| events.expect("a list")).collect()
}

fn keys(events: &[Value]) -> BTreeSet<String> {
    events.iter().map(|it| it["idempotency_key"].to_string()).collect()
}

/// All calls that the sink was told of, each once.
async fn told(world: &World, receiver: &Receiver) -> Vec<Value> {
    let told = events(world, receiver).await;
    assert_eq!(keys(&told).len(), told.len(), "each call has a key of its own");
    told
}

const WAITING: &str = "SELECT count(*) FROM outbox WHERE next_attempt_at IS NOT NULL";

/// How many calls wait to be told of.
async fn letters_waiting(world: &World) -> i64 {
    let sql = "SELECT count(*) FROM outbox WHERE kind = 'tool.called'";
    db_number(&world.database_url, sql).await
}

on_both! {
    async fn each_call_of_a_person_is_told_of_once_with_what_it_came_with(backend: Backend) {
        let receiver = Receiver::start().await;
        let world = house(backend, None, &receiver).await;
        let replica = world.replica(&[]).await;
        let alice = signed_in(&world, "Cursor", "alice").await;
        let bob = signed_in(&world, "Our own agent", "bob").await;
        let calls: Vec<_> = [&alice, &bob].into_iter().map(|tokens| {
            let here = world.mcp(&tokens.access_token);
            let there = world.mcp(&tokens.access_token).at(&replica);
            tokio::spawn(async move {
                for _ in 0..10 {
                    search(&here, "install").await;
                    search(&there, "xyzzy").await;
                }
            })
        }).collect();
        // Written while calls come in, by both at once.
        for _ in 0..10 {
            world.count_usage().await.unwrap();
        }
        for call in calls {
            call.await.unwrap();
        }
        // Nobody's call is told of, and no call that is none of a tool.
        search(&world.anonymous_mcp(), "install").await;
        world.mcp(&alice.access_token).call("tools/list", json!({})).await.expect(200);
        world.count_usage().await.unwrap();
        let told = told(&world, &receiver).await;
        let of = |product: &str, outcome: &str| {
            let it_is = |it: &&Value| {
                it["data"]["client_product"] == product && it["data"]["outcome"] == outcome
            };
            told.iter().filter(it_is).count()
        };
        assert_eq!((of("Cursor", "answered"), of("Cursor", "empty")), (10, 10));
        assert_eq!((of("Our own agent", "answered"), of("Our own agent", "empty")), (10, 10));
        assert_eq!((told.len(), calls_written(&world).await), (40, 41));
        let text = serde_json::to_string(&told).unwrap();
        assert!(!text.contains("install") && !text.contains("alice"), "{text}");
    }

    async fn a_stop_tells_of_what_is_left(backend: Backend) {
        let receiver = Receiver::start().await;
        let mut world = house(backend, None, &receiver).await;
        let tokens = signed_in(&world, "editor", "alice").await;
        for _ in 0..5 {
            search(&world.mcp(&tokens.access_token), "install").await;
        }
        world.restart(&[]).await;
        assert_eq!(told(&world, &receiver).await.len(), 5);
    }

    async fn a_call_that_cannot_be_counted_is_not_told_of_until_it_can(backend: Backend) {
        let receiver = Receiver::start().await;
        let world = house(backend, None, &receiver).await;
        let tokens = signed_in(&world, "editor", "alice").await;
        let mcp = world.mcp(&tokens.access_token);
        db_execute(&world.database_url, "ALTER TABLE usage_by_person RENAME TO away").await;
        for _ in 0..3 {
            search(&mcp, "install").await;
            world.count_usage().await.unwrap_err();
        }
        assert_eq!(letters_waiting(&world).await, 0);
        db_execute(&world.database_url, "ALTER TABLE away RENAME TO usage_by_person").await;
        world.count_usage().await.unwrap();
        world.count_usage().await.unwrap();
        assert_eq!((told(&world, &receiver).await.len(), calls_written(&world).await), (3, 3));
    }

    async fn who_was_erased_meanwhile_is_not_told_of(backend: Backend) {
        let receiver = Receiver::start().await;
        let world = house(backend, None, &receiver).await;
        let tokens = signed_in(&world, "editor", "alice").await;
        search(&world.mcp(&tokens.access_token), "install").await;
        erased(&world).await;
        world.count_usage().await.unwrap();
        assert_eq!(letters_waiting(&world).await, 0);
    }

    async fn what_no_sink_listens_to_is_not_queued(backend: Backend) {
        let receiver = Receiver::start().await;
        let fields = "\"id\", \"client_product\"";
        let file = sink("crm", &receiver.url(), "\"person.sign_in\"", fields, "");
        let world = World::with_file(backend, &[], &file, &SECRETS).await;
        let tokens = signed_in(&world, "Cursor", "alice").await;
        search(&world.mcp(&tokens.access_token), "install").await;
        world.count_usage().await.unwrap();
        assert_eq!(letters_waiting(&world).await, 0);
        // What a sign-in is told with comes from the registration.
        world.deliver().await.unwrap();
        let letters = receiver.received().await;
        assert_eq!(letters.len(), 1);
        assert_eq!(body(&letters[0])["data"]["client_product"], "Cursor");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_that_nobody_answered_is_told_of_once() {
    let Some(server) = postgres_to_relay() else { return };
    let relay = Relay::to(vec![server]).await;
    let receiver = Receiver::start().await;
    let world = house(Backend::Postgres, Some(&relay), &receiver).await;
    let tokens = signed_in(&world, "editor", "alice").await;
    let mcp = world.mcp(&tokens.access_token);
    let (calls, breaks) = counted_with_breaks(&world, &relay, &mcp, 16).await;
    world.count_usage().await.unwrap();
    assert!(breaks >= 12, "begin, writes and commit were broken off: {breaks}");
    // A house hands on by itself as well. What it had claimed in a moment of a break waits for the
    // end of that claim, and what it had handed on is handed on once more, under the same key.
    let mut told = events(&world, &receiver).await;
    for _ in 0..6 {
        world.advance(HOUR);
        told = events(&world, &receiver).await;
    }
    assert_eq!(db_number(&world.database_url, WAITING).await, 0);
    let told = i64::try_from(keys(&told).len()).unwrap();
    assert_eq!((told, calls_written(&world).await), (calls, 32));
}
