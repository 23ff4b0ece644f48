//! Attempts to sign in, from the first step to the last: one reference wherever they are told of,
//! the same words in the command, the API and the dashboard, and what is kept for how long.

use std::collections::BTreeSet;

use gatehouse::clock::Clock as _;
use gatehouse::store::Store;
use gatehouse::store::attempts::{Bounds, retire};
use serde_json::Value;

use crate::attempt_causes::{Asker, reference_on};
use crate::support::admin::{ALICE_ADMINISTERS, Operator, administers};
use crate::support::answer::query;
use crate::support::database::{db_dump_of, db_number};
use crate::support::oauth_client::VERIFIER;
use crate::support::process::run;
use crate::support::sinks::erased;
use crate::support::{Backend, DAY, MINUTE, Person, Process, SECOND, Tokens, World, on_both};

async fn count(world: &World, condition: &str) -> i64 {
    let sql = format!("SELECT count(*) FROM attempts WHERE {condition}");
    db_number(&world.database_url, &sql).await
}

async fn retired(world: &World, bounds: Bounds) -> u64 {
    let store = Store::connect(&world.database_url).await.unwrap();
    let deleted = retire(&store, 14 * DAY, bounds, world.clock.now()).await.unwrap();
    store.close().await;
    deleted
}

const ROOMY: Bounds = Bounds { rows: 100, of_nobody: 100 };

fn words(found: &Value) -> Vec<&str> {
    let steps = found["steps"].as_array().expect("it has steps");
    steps.iter().map(|step| step["step"].as_str().expect("a word")).collect()
}

on_both! {
    async fn a_sign_in_is_told_from_its_beginning_to_its_first_use(backend: Backend) {
        let world = World::start(backend).await;
        let asker = Asker::of(&world).await;
        let operator = Operator::with(&world, "o", "read").await;
        let client = world.client("editor").await;
        let mut browser = world.browser();
        let page = browser.get(&client.authorize_url(&[])).await.expect(200);
        world.advance(12 * SECOND);
        let location = client.decide(&mut browser, &page.body, "approve").await.location();
        let callback = world.auth0.log_in(&location, &Person::named("alice"));
        let end = browser.get(&callback).await.location();
        let code = query(&end, "code").unwrap();
        world.advance(SECOND);
        let tokens = Tokens::of(&client.exchange(&code).await);
        for _ in 0..3 {
            world.mcp(&tokens.access_token).ping().await.expect(200);
        }
        let found = asker.newest(&world).await;
        assert_eq!(words(&found), ["arrived", "consent_shown", "approved", "sent_to_provider",
            "came_back", "code_issued", "token_issued", "used"]);
        assert_eq!(found["steps"][2]["after_ms"], 12_000);
        let attempt = &found["attempt"];
        assert_eq!(attempt["outcome"], "finished");
        assert_eq!(attempt["client_id"], client.client_id);
        assert_eq!((&attempt["client_name"], &attempt["client_kind"]),
            (&"editor".into(), &"registered".into()));
        assert_eq!(attempt["person"], tokens.claims()["sub"]);
        assert_eq!(attempt["grant"], tokens.claims()["gid"]);
        // The audit log calls it the same.
        let audit = operator.all("/audit", 50).await;
        let references: BTreeSet<_> =
            audit.iter().filter_map(|row| row["reference"].as_str()).collect();
        assert_eq!(references, BTreeSet::from([attempt["reference"].as_str().unwrap()]));
        // Renewing and using the token adds nothing.
        client.refresh(tokens.refresh_token()).await.expect(200);
        world.mcp(&tokens.access_token).ping().await.expect(200);
        assert_eq!(words(&asker.newest(&world).await).len(), 8);
        // An earlier yes stands for the page.
        let web = world.web_client("editor").await;
        web.walk(&world, &mut browser, &Person::named("alice"), &[]).await;
        world.advance(SECOND);
        browser.get(&web.authorize_url(&[])).await.expect(303);
        assert_eq!(words(&asker.newest(&world).await),
            ["arrived", "remembered", "sent_to_provider"]);
        let dump = String::from_utf8_lossy(&db_dump_of(&world.database_url, "attempts").await)
            .into_owned();
        assert!(dump.contains("consent_shown"));
        let state = query(&location, "state").unwrap();
        for secret in [&*code, VERIFIER, "client-state", &state, &tokens.access_token,
            tokens.refresh_token(), "alice", "@"] {
            assert!(!dump.contains(secret), "{secret} is in the table");
        }
    }

    async fn the_command_says_what_the_api_says(backend: Backend) {
        let world = World::start(backend).await;
        let asker = Asker::of(&world).await;
        let client = world.client("editor").await;
        let refused = world.browser().get(&client.authorize_url(&[("code_challenge", "")])).await;
        let reference = reference_on(&refused);
        let told = asker.newest(&world).await;
        let folder = tempfile::tempdir().unwrap();
        let said = async |words: &str| run(&world, folder.path(), words, &[]).await;
        let (code, json) = said(&format!("doctor {} --json", reference.to_uppercase())).await;
        assert_eq!(code, Some(0));
        assert_eq!(serde_json::from_str::<Value>(&json).unwrap(), told);
        let (code, lines) = said(&format!("doctor {reference}")).await;
        assert_eq!(code, Some(0));
        let expected = format!("Cause (missing_code_challenge): {}",
            told["attempt"]["told"].as_str().unwrap());
        assert!(lines.contains(&expected), "{lines}");
        assert!(lines.contains(&format!("To do: {}", told["advice"].as_str().unwrap())), "{lines}");
        assert!(lines.contains("+0.000 s  The browser came to this server."), "{lines}");
        assert_eq!(said("doctor 00000000").await, (Some(1), String::new()));
    }

    async fn replicas_add_to_one_attempt(backend: Backend) {
        let world = World::start(backend).await;
        let asker = Asker::of(&world).await;
        let (one, two) = (world.replica(&[]).await, world.replica(&[]).await);
        let client = world.client("editor").await;
        let code = client.code(&world, "alice", &[]).await;
        world.advance(SECOND);
        let tokens = Tokens::of(&client.at(&one).exchange(&code).await);
        world.advance(SECOND);
        let ping = serde_json::json!({"jsonrpc": "2.0", "id": 1, "method": "ping"});
        let host = world.url.split("://").last().unwrap();
        let used = world.http.post(format!("{two}/mcp")).bearer_auth(&tokens.access_token)
            .header("host", host).header("accept", "application/json, text/event-stream")
            .json(&ping).send().await.unwrap();
        assert_eq!(used.status(), 200);
        let found = asker.newest(&world).await;
        assert_eq!(found["attempt"]["outcome"], "finished", "{found}");
        assert_eq!(words(&found).len(), 8);
        // The first use is told once, whoever sees another.
        world.mcp(&tokens.access_token).ping().await.expect(200);
        assert_eq!(words(&asker.newest(&world).await).len(), 8);
    }

    async fn who_answers_again_and_again_fills_no_row(backend: Backend) {
        const AT_ONCE: i64 = 70;
        let world = World::start(backend).await;
        let client = world.client("editor").await;
        let mut browser = world.browser();
        let page = browser.get(&client.authorize_url(&[])).await.expect(200).body;
        client.decide(&mut browser, &page, "deny").await.expect(200);
        for _ in 0..5 {
            for _ in 0..AT_ONCE {
                client.decide(&mut browser, &page, "deny").await.expect(400);
            }
            world.write_attempts().await;
        }
        // The house also writes by itself, so an addition may be a shorter one.
        assert_eq!(count(&world, "length(steps) BETWEEN 4000 AND 7000").await, 1);
    }

    async fn a_stop_writes_what_waits(backend: Backend) {
        let mut world = World::start(backend).await;
        let client = world.client("editor").await;
        world.browser().get(&client.authorize_url(&[])).await.expect(200);
        world.restart(&[]).await;
        assert_eq!(count(&world, "steps LIKE '%consent_shown%'").await, 1);
    }

    async fn attempts_go_after_a_while_and_the_oldest_of_too_many(backend: Backend) {
        let world = World::with(backend, &[("limit_register", "100/1h")]).await;
        let client = world.client("editor").await;
        let arrive = async || {
            world.browser().get(&client.authorize_url(&[])).await.expect(200);
            world.advance(SECOND);
        };
        client.signed_in(&world, "alice").await;
        for _ in 0..4 {
            arrive().await;
        }
        world.write_attempts().await;
        assert_eq!(retired(&world, ROOMY).await, 0);
        // Nobody's attempts do not drive out those of people.
        assert_eq!(retired(&world, Bounds { rows: 100, of_nobody: 2 }).await, 2);
        assert_eq!(count(&world, "user_id IS NOT NULL").await, 1);
        assert_eq!(retired(&world, Bounds { rows: 1, of_nobody: 100 }).await, 2);
        assert_eq!(count(&world, "user_id IS NOT NULL").await, 0, "it was the oldest");
        world.advance(14 * DAY - 10 * SECOND);
        assert_eq!(retired(&world, ROOMY).await, 0);
        world.advance(10 * SECOND);
        world.keep_houses().await;
        assert_eq!(count(&world, "1 = 1").await, 0);
    }

    async fn who_is_erased_is_in_no_attempt_not_even_a_late_one(backend: Backend) {
        let world = World::start(backend).await;
        let client = world.client("editor").await;
        let sub = client.signed_in(&world, "alice").await.claims()["sub"].clone();
        world.write_attempts().await;
        assert_eq!(count(&world, "user_id IS NOT NULL").await, 1);
        client.signed_in(&world, "alice").await;
        erased(&world).await;
        world.write_attempts().await;
        assert_eq!(count(&world, "user_id IS NOT NULL").await, 0);
        assert_eq!(count(&world, "steps LIKE '%token_issued%'").await, 2);
        let dump = db_dump_of(&world.database_url, "attempts").await;
        let plain = sub.as_str().unwrap().replace('-', "");
        for id in [sub.as_str().unwrap(), &plain] {
            assert!(!String::from_utf8_lossy(&dump).contains(id));
        }
    }

    async fn lists_are_filtered_paged_and_csv(backend: Backend) {
        let world = World::start(backend).await;
        let operator = Operator::with(&world, "o", "read").await;
        let client = world.client("editor").await;
        for number in 0..9 {
            let changes = [("code_challenge", if number % 3 == 0 { "" } else { "short" })];
            world.browser().get(&client.authorize_url(&changes)).await.expect(400);
            world.advance(SECOND);
        }
        world.browser().get(&client.authorize_url(&[])).await.expect(200);
        world.write_attempts().await;
        assert_eq!(operator.all("/attempts", 3).await.len(), 10);
        assert_eq!(operator.all("/attempts?outcome=refused", 2).await.len(), 9);
        assert_eq!(operator.all("/attempts?outcome=under_way", 2).await.len(), 1);
        assert_eq!(operator.all("/attempts?outcome=finished", 2).await.len(), 0);
        let of_client = format!("/attempts?client={}", client.client_id);
        assert_eq!(operator.all(&of_client, 50).await.len(), 10);
        let newest = operator.all("/attempts", 50).await[0].clone();
        let reference = newest["reference"].as_str().unwrap();
        let by = format!("/attempts?reference={}", reference.to_uppercase());
        assert_eq!(operator.all(&by, 50).await, std::slice::from_ref(&newest));
        let csv = operator.get_as("/attempts", "text/csv").await.expect(200);
        assert!(csv.body.starts_with("id,reference,began_at,outcome,cause"), "{}", csv.body);
        assert_eq!(csv.body.lines().count(), 11);
        for bad in ["?outcome=x", "?reference=x", "?limit=0", "?x=1", "/x"] {
            operator.get(&format!("/attempts{bad}")).await.expect(400);
        }
        operator.get("/attempts/00000000").await.expect(404);
    }

    async fn the_dashboard_shows_attempts_and_the_audit_log(backend: Backend) {
        let world = World::with(backend, &[ALICE_ADMINISTERS]).await;
        let client = world.client("<b>editor</b>").await;
        let page = world.browser().get(&client.authorize_url(&[("code_challenge", "")])).await;
        let reference = reference_on(&page);
        world.advance(SECOND);
        client.signed_in(&world, "bob").await;
        world.advance(6 * MINUTE);
        world.write_attempts().await;
        let mut browser = administers(&world, "alice").await;
        let mut get = async |path: &str| browser.get(&world.admin_at(path)).await;
        let list = get("/admin/attempts?outcome=left").await.expect(200).body;
        assert!(list.contains("never used it at /mcp") && !list.contains("PKCE"), "{list}");
        let list = get(&format!("/admin/attempts?reference={reference}")).await.expect(200).body;
        assert!(list.contains(&format!("/admin/attempts/{reference}")), "{list}");
        let one = get(&format!("/admin/attempts/{reference}")).await.expect(200).body;
        for text in ["The program did not use PKCE.", "Update the program", &reference,
            "The browser came to this server.", "&lt;b&gt;editor"] {
            assert!(one.contains(text), "{text}: {one}");
        }
        let audit = get("/admin/audit?kind=token_issued").await.expect(200).body;
        assert!(audit.contains("token issued") && !audit.contains("signed in<"), "{audit}");
        assert!(audit.contains("/admin/attempts/"), "{audit}");
        get("/admin/attempts/00000000").await.expect(404);
        get("/admin/attempts/nonsense").await.expect(400);
        let stranger = world.browser().get(&world.admin_at("/admin/attempts")).await;
        assert_ne!(stranger.status, 200);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_log_calls_an_attempt_by_the_same_reference() {
    // The house in process lends its provider and its database to a real process, whose log it is.
    let mut world = World::start(Backend::Sqlite).await;
    let operator = Operator::with(&world, "o", "read").await;
    let folder = tempfile::tempdir().unwrap();
    let process = Process::start(&world, folder.path(), "told", &[]).await;
    world.url.clone_from(&process.url);
    world.local.clone_from(&process.url);
    world.auth0.in_real_time();
    let client = world.client("editor").await;
    let page = world.browser().get(&client.authorize_url(&[("code_challenge", "")])).await;
    client.signed_in(&world, "alice").await;
    let issued = operator.all("/audit?kind=token_issued", 5).await;
    let of_token = issued[0]["reference"].as_str().unwrap();
    let written = process.written();
    let has = |flow: &str, reference: &str| {
        let lines = written.lines().filter(|line| line.contains(flow));
        lines.filter(|line| line.contains(reference)).count()
    };
    assert_eq!(has("authorize", &reference_on(&page)), 1, "{written}");
    for flow in ["\"authorize\"", "\"consent\"", "\"callback\"", "\"exchange_code\""] {
        assert_eq!(has(flow, of_token), 1, "{flow}: {written}");
    }
}
