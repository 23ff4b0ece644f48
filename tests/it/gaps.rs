//! What people look for is kept exactly as the settings say, sealed, and shows what is missing.

use std::time::Duration;

use gatehouse::clock::Clock as _;
use gatehouse::domain::day::Day;
use gatehouse::store::Store;
use gatehouse::store::usage_sweep::{UsageKept, pass};
use serde_json::{Value, json};

use crate::remotes::asked;
use crate::secrets::{found, holds};
use crate::support::database::{db_dump, db_number};
use crate::support::process::run;
use crate::support::supplier::{Era, Way, found as answer_with};
use crate::support::{Backend, DAY, McpClient, SECOND, Supplier, World, on_both};

const ROWS: &str = "SELECT count(*) FROM searches";
const SECRET: &str = "ghp_abcdefghijklmnopqrstuvwxyz0123456789";

async fn search(mcp: &McpClient, query: &str) {
    let context = "They evaluate the product for a bank.";
    let arguments = json!({ "query": query, "context": context });
    mcp.tool("search_docs", arguments).await.expect(200);
}

async fn signed_in(world: &World, name: &str) -> McpClient {
    let tokens = world.client("editor").await.signed_in(world, name).await;
    world.mcp(&tokens.access_token)
}

/// What the operator is told of all there is.
async fn gaps(world: &World, form: &str, settings: &[(&str, &str)]) -> (Option<i32>, String) {
    let folder = tempfile::tempdir().unwrap();
    let to = Day::of(world.clock.now());
    let command = format!("gaps --from 2020-01-01 --to {to} {form}");
    run(world, folder.path(), &command, settings).await
}

on_both! {
    async fn nothing_is_kept_unless_the_settings_say_so(backend: Backend) {
        for (settings, kinds) in [
            (&[][..], 0),
            (&[("keep_queries", "true")], 1),
            (&[("ask_context", "true")], 1),
            (&[("keep_queries", "true"), ("ask_context", "true")], 2),
        ] {
            let world = World::with(backend, settings).await;
            search(&signed_in(&world, "alice").await, "how do I install it").await;
            world.count_usage().await.unwrap();
            assert_eq!(db_number(&world.database_url, ROWS).await, kinds, "{settings:?}");
            let (code, _) = gaps(&world, "--json", &[]).await;
            assert_eq!(code, Some(1), "without a setting it says which it needs");
        }
    }

    async fn what_is_kept_is_scrubbed_and_sealed(backend: Backend) {
        let settings = [("keep_queries", "true"), ("ask_context", "true")];
        let world = World::with(backend, &settings).await;
        let mcp = signed_in(&world, "alice").await;
        search(&mcp, &format!("xyzzy {SECRET}")).await;
        world.count_usage().await.unwrap();
        let dump = db_dump(&world.database_url).await;
        for text in ["xyzzy", "evaluate the product", SECRET] {
            assert!(!holds(&dump, text.as_bytes()), "{text}");
        }
        let on = [("KEEP_QUERIES", "true"), ("ASK_CONTEXT", "true")];
        let (code, said) = gaps(&world, "--csv", &on).await;
        assert_eq!(code, Some(0), "{said}");
        assert!(said.contains("xyzzy [removed: token]"), "{said}");
        assert!(said.contains("They evaluate the product for a bank."), "{said}");
    }

    async fn gaps_are_ranked_by_the_organizations_they_hurt(backend: Backend) {
        let settings = [("keep_queries", "true"), ("auth", "open")];
        let world = World::with(backend, &settings).await;
        let alice = signed_in(&world, "alice").await;
        for _ in 0..3 {
            search(&alice, "xyzzy plugh").await;
        }
        search(&alice, "quux frobnicate").await;
        let anonymous = world.anonymous_mcp();
        search(&anonymous, "plugh xyzzy").await;
        // Found, and asked again in other words by the same person.
        search(&anonymous, "install").await;
        world.advance(60 * SECOND);
        search(&anonymous, "install windows").await;
        world.count_usage().await.unwrap();
        let (code, said) = gaps(&world, "--json", &[("KEEP_QUERIES", "true")]).await;
        assert_eq!(code, Some(0), "{said}");
        let gaps: Value = serde_json::from_str(&said).unwrap();
        let gaps = gaps["gaps"].as_array().unwrap();
        let line = |gap: &Value| {
            let organizations = gap["organizations"].as_array().unwrap().len();
            (organizations, gap["searches"].clone(), gap["queries"][0].clone())
        };
        let lines: Vec<_> = gaps.iter().map(line).collect();
        assert_eq!(lines[0], (1, json!(4), json!("xyzzy plugh")), "{said}");
        assert_eq!(lines[1], (1, json!(1), json!("quux frobnicate")), "{said}");
        assert_eq!(gaps[2]["reformulated"], 1, "{said}");
        assert_eq!(lines[2].2, "install", "{said}");
    }

    async fn texts_go_in_time_and_with_their_person(backend: Backend) {
        let settings = [("keep_queries", "true"), ("ask_context", "true")];
        let world = World::with(backend, &settings).await;
        let store = Store::connect(&world.database_url).await.unwrap();
        let kept = UsageKept {
            by_person: Duration::from_hours(24 * 90),
            by_organization: Duration::from_hours(24 * 90),
            queries: Duration::from_hours(24 * 7),
            contexts: Duration::from_hours(24 * 14),
        };
        search(&signed_in(&world, "alice").await, "xyzzy").await;
        world.count_usage().await.unwrap();
        for (days, swept, left) in [(0, 0, 2), (7, 1, 1), (6, 0, 1), (1, 1, 0)] {
            world.advance(days * DAY);
            let pass = pass(&store, kept, world.clock.now()).await.unwrap();
            let rows = db_number(&world.database_url, ROWS).await;
            assert_eq!((pass.searches, rows), (swept, left), "{days} days later");
        }
        search(&signed_in(&world, "alice").await, "xyzzy").await;
        world.count_usage().await.unwrap();
        for table in ["grants", "users"] {
            let sql = format!("DELETE FROM {table}");
            crate::support::database::db_execute(&world.database_url, &sql).await;
        }
        assert_eq!(db_number(&world.database_url, ROWS).await, 0);
    }

    async fn what_a_person_wants_is_never_told_to_a_supplier(backend: Backend) {
        let usual = answer_with(&[("Install", "https://kapa.example/install", "Install it.")]);
        let supplier = Supplier::start(Era::Stateless, Way::Result(usual)).await;
        let file = asked(&supplier, "");
        let settings = [("auth", "open"), ("ask_context", "true")];
        let credential = [("KAPA_TOKEN", "kapa-secret-7")];
        let world = World::with_file(backend, &settings, &file, &credential).await;
        let arguments = json!({ "question": "install it", "context": "They work for a bank." });
        world.anonymous_mcp().tool("ask_example_question", arguments).await.expect(200);
        let requests = supplier.requests().await;
        let told = |words: &str| requests.iter().any(|request| found(&request.body, words));
        assert!(told("install it"), "the search itself works");
        assert!(!told("bank") && !told("context\""));
    }
}
