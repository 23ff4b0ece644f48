//! Erasing a person: nothing of them is left, whoever was told of them is told to forget them, and
//! nothing that happens at the same time changes that.

use std::collections::BTreeSet;
use std::sync::Arc;

use gatehouse::attribution::export::SECTIONS;
use gatehouse::domain::audit::Actor;
use serde_json::{Value, json};
use wiremock::ResponseTemplate;

use crate::delivery::{alice, submit};
use crate::support::database::{db_columns_like, db_dump, db_number};
use crate::support::process::{run, run_with};
use crate::support::signed_in::{log_in, signed_in};
use crate::support::sinks::{SECRETS, body, erased, people, sink};
use crate::support::{Backend, HOUR, MINUTE, Person, Process, Receiver, SECOND, World, on_both};

const EVERYTHING: &str = "\"person.first_sign_in\", \"person.sign_in\", \"feedback.submitted\"";
const FIELDS: &str = "\"id\", \"email\", \"organization\", \"upstream_subject\"";

async fn house(backend: Backend, file: &str) -> World {
    World::with_file(backend, &[], file, &SECRETS).await
}

/// A sink that is told everything of people.
fn curious(name: &str, receiver: &Receiver) -> String {
    sink(name, &receiver.url(), EVERYTHING, FIELDS, "")
}

async fn letters(receiver: &Receiver, kind: &str) -> Vec<Value> {
    let all = receiver.received().await;
    all.iter().map(body).filter(|body| body["type"] == kind).collect()
}

async fn tombstones(receiver: &Receiver) -> Vec<Value> {
    letters(receiver, "person.erased").await
}

/// How many rows there are that name a person.
async fn rows_of_people(world: &World) -> i64 {
    let mut rows = db_number(&world.database_url, "SELECT count(*) FROM users").await;
    for (table, column) in db_columns_like(&world.database_url, "user_id").await {
        let sql = format!("SELECT count(*) FROM {table} WHERE {column} IS NOT NULL");
        rows += db_number(&world.database_url, &sql).await;
    }
    rows
}

on_both! {
    async fn every_table_that_names_a_person_is_in_the_export(backend: Backend) {
        let world = World::start(backend).await;
        let exported: BTreeSet<_> = SECTIONS.iter().map(|section| section.table).collect();
        let columns = db_columns_like(&world.database_url, "user_id").await;
        assert!(columns.len() >= 9, "{columns:?}");
        for (table, _) in columns.iter().chain([&("users".to_owned(), "id".to_owned())]) {
            assert!(exported.contains(table.as_str()), "add {table} to the sections of an export");
        }
    }

    async fn nothing_is_left_and_every_sink_is_told_by_what_it_knows(backend: Backend) {
        let (told, other) = (Receiver::start().await, Receiver::start().await);
        let quiet = sink("quiet", &other.url(), "\"person.sign_in\"", "\"domain\"", "");
        let world = house(backend, &(curious("curious", &told) + &quiet)).await;
        let client = world.web_client("editor").await;
        let tokens = client.signed_in(&world, "alice").await;
        let mcp = world.mcp(&tokens.access_token);
        submit(&mcp, "my private words").await;
        let mut browser = signed_in(&world, "alice").await;
        let bob = client.signed_in(&world, "bob").await;
        // Her address changes; the sink has both.
        let renamed = Person::named("alice").with("email", json!("alice@new.example.com"));
        let account = format!("{}/account", world.url);
        log_in(&world, &mut world.browser(), &renamed, &account).await.expect(303);
        world.deliver().await.unwrap();
        let known = letters(&told, "person.first_sign_in").await[0]["data"]["id"].clone();

        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("gatehouse.toml"),
            curious("curious", &told) + &quiet).unwrap();
        let email = "users erase --email ALICE@new.example.com";
        let (code, said) = run_with(&world, folder.path(), email, &[], &SECRETS).await;
        assert_eq!(code, Some(1), "it asks first: {said}");
        let (code, said) =
            run_with(&world, folder.path(), &format!("{email} --yes"), &[], &SECRETS).await;
        assert_eq!(code, Some(0), "{said}");
        assert!(said.contains("curious is told to forget") && !said.contains("alice"), "{said}");
        assert!(!said.contains("quiet"), "what it has finds nobody: {said}");
        let (code, _) = run_with(&world, folder.path(), email, &[], &SECRETS).await;
        assert_eq!(code, Some(1), "there is nobody any more");

        world.advance(5 * SECOND);
        mcp.ping().await.expect(401);
        client.refresh(tokens.refresh_token()).await.expect_error(400, "invalid_grant");
        assert!(!crate::support::signed_in::is_signed_in(&world, &mut browser).await);
        world.mcp(&bob.access_token).ping().await.expect(200);
        let dump = String::from_utf8_lossy(&db_dump(&world.database_url).await).into_owned();
        assert!(!dump.contains("auth0|alice") && dump.contains("auth0|bob"));

        world.advance(MINUTE);
        world.deliver().await.unwrap();
        let erased = tombstones(&told).await;
        let expected = json!({
            "id": [known], "upstream_subject": ["auth0|alice"],
            "email": ["alice@example.com", "alice@new.example.com"],
        });
        assert_eq!((erased.len(), &erased[0]["data"]), (1, &expected));
        assert_eq!(tombstones(&other).await.len(), 0);
    }

    async fn who_signs_in_after_an_erasure_is_somebody_new(backend: Backend) {
        let receiver = Receiver::start().await;
        let world = house(backend, &curious("one", &receiver)).await;
        let client = world.client("editor").await;
        let before = client.signed_in(&world, "alice").await.claims()["sub"].clone();
        world.deliver().await.unwrap();
        erased(&world).await;
        let after = client.signed_in(&world, "alice").await.claims()["sub"].clone();
        assert_ne!(before, after);
        world.deliver().await.unwrap();
        let first = letters(&receiver, "person.first_sign_in").await;
        assert_eq!(first.len(), 2);
        assert_ne!(first[0]["data"]["id"], first[1]["data"]["id"]);
        assert_eq!(tombstones(&receiver).await.len(), 1);
    }

    async fn what_nobody_was_told_needs_no_forgetting(backend: Backend) {
        let receiver = Receiver::start().await;
        let world = house(backend, &curious("one", &receiver)).await;
        let client = world.client("editor").await;
        receiver.says(ResponseTemplate::new(503));
        // Bob's letter is tried, Alice's is not: it may be there, and it is not.
        client.signed_in(&world, "bob").await;
        world.deliver().await.unwrap();
        let tried = receiver.received().await.len();
        let house = world.house_with(&[]).await.unwrap();
        let gatehouse = &house.gatehouse;
        world.kill().await;
        crate::support::database::db_execute(
            &world.database_url, "UPDATE outbox SET attempts = 0").await;
        for user_id in people(&world).await {
            let erased = gatehouse.erase_person(Actor::Command, user_id).await.unwrap().unwrap();
            assert_eq!(erased.sinks, Vec::<String>::new());
        }
        assert_eq!(rows_of_people(&world).await, 0);
        assert_eq!(db_number(&world.database_url, "SELECT count(*) FROM outbox").await, 0);
        assert!(tried > 0);
        gatehouse.store.close().await;
    }

    async fn an_erasure_in_the_middle_of_a_delivery_comes_after_it(backend: Backend) {
        let receiver = Receiver::start().await;
        let world = house(backend, &curious("one", &receiver)).await;
        receiver.be_silent();
        world.client("editor").await.signed_in(&world, "alice").await;
        receiver.until(1).await;
        erased(&world).await;
        assert_eq!(rows_of_people(&world).await, 0);
        // The tombstone waits until no attempt can be under way any more.
        receiver.speak();
        world.deliver().await.unwrap();
        assert_eq!(tombstones(&receiver).await.len(), 0);
        world.advance(MINUTE);
        world.deliver().await.unwrap();
        let erased = tombstones(&receiver).await;
        assert_eq!(erased.len(), 1);
        assert_eq!(erased[0]["data"]["email"], json!(["alice@example.com"]));
        let last = body(receiver.received().await.last().unwrap());
        assert_eq!(last["type"], "person.erased");
        assert_eq!(rows_of_people(&world).await, 0, "the late answer is in no ledger");
    }

    async fn a_tombstone_is_tried_again_and_forgotten_when_it_has_arrived(backend: Backend) {
        let receiver = Receiver::start().await;
        let world = house(backend, &curious("one", &receiver)).await;
        world.client("editor").await.signed_in(&world, "alice").await;
        world.deliver().await.unwrap();
        receiver.says_in_turn([503, 410, 200].map(ResponseTemplate::new));
        erased(&world).await;
        for _ in 0..3 {
            world.deliver().await.unwrap();
            world.advance(HOUR);
        }
        let tried = tombstones(&receiver).await;
        assert_eq!(tried.len(), 3);
        assert!(tried.iter().all(|it| *it == tried[0]), "the same each time");
        let dump = db_dump(&world.database_url).await;
        assert!(!String::from_utf8_lossy(&dump).contains("alice"));
        let folder = tempfile::tempdir().unwrap();
        let (code, said) = run(&world, folder.path(), "gc", &[]).await;
        assert_eq!(code, Some(0), "{said}");
        // The program's clock is not the story's: by it a year has passed or none.
        assert!(said.contains(" outbox") && said.contains(" disclosures"), "{said}");
    }

    async fn of_erasures_at_once_one_finds_somebody(backend: Backend) {
        const AT_ONCE: usize = 6;
        let (one, two) = (Receiver::start().await, Receiver::start().await);
        let file = curious("one", &one) + &curious("two", &two);
        let world = house(backend, &file).await;
        let client = world.client("editor").await;
        for round in 1..=3 {
            client.signed_in(&world, "alice").await;
            world.deliver().await.unwrap();
            let house = Arc::new(world.house_with(&[]).await.unwrap());
            let user_id = people(&world).await[0];
            let erasures: Vec<_> = (0..AT_ONCE).map(|_| {
                let house = Arc::clone(&house);
                tokio::spawn(async move {
                    let erased = house.gatehouse.erase_person(Actor::Command, user_id);
                    erased.await.unwrap()
                })
            }).collect();
            let mut found = 0;
            for erasure in erasures {
                found += usize::from(erasure.await.unwrap().is_some());
            }
            assert_eq!((found, rows_of_people(&world).await), (1, 0));
            world.advance(MINUTE);
            world.deliver().await.unwrap();
            assert_eq!(tombstones(&one).await.len(), round);
            assert_eq!(tombstones(&two).await.len(), round);
            house.gatehouse.store.close().await;
        }
    }

    async fn whatever_happens_at_the_same_time_nothing_of_them_is_left(backend: Backend) {
        const ROUNDS: usize = 4;
        let receiver = Receiver::start().await;
        let world = Arc::new(house(backend, &curious("one", &receiver)).await);
        world.replica(&[]).await;
        let client = world.client("editor").await;
        for round in 0..ROUNDS {
            let name = format!("person{round}");
            let tokens = client.signed_in(&world, &name).await;
            let user_id = people(&world).await[0];
            let house = Arc::new(world.house_with(&[]).await.unwrap());
            // At once: feedback, a refresh, an exchange, deliveries, a browser's sign-in that ends
            // in somebody new, and two erasures.
            let code = client.code(&world, &name, &[]).await;
            let mcp = world.mcp(&tokens.access_token);
            let submits = tokio::spawn(async move {
                let arguments = json!({"feedback": "words", "category": "bug"});
                for _ in 0..3 {
                    mcp.tool("submit_documentation_feedback", arguments.clone()).await;
                }
            });
            let (refreshing, exchanging) = (client.clone(), client.clone());
            let refresh_token = tokens.refresh_token().to_owned();
            let refreshes = tokio::spawn(async move { refreshing.refresh(&refresh_token).await });
            let exchanges = tokio::spawn(async move { exchanging.exchange(&code).await });
            let delivering = Arc::clone(&world);
            let delivers = tokio::spawn(async move {
                for _ in 0..3 {
                    delivering.deliver().await.unwrap();
                }
            });
            let erasures: Vec<_> = (0..2).map(|_| {
                let house = Arc::clone(&house);
                tokio::spawn(async move {
                    let erased = house.gatehouse.erase_person(Actor::Command, user_id);
                    erased.await.unwrap()
                })
            }).collect();
            let mut found = 0;
            for erasure in erasures {
                found += usize::from(erasure.await.unwrap().is_some());
            }
            submits.await.unwrap();
            let (refreshed, exchanged) = (refreshes.await.unwrap(), exchanges.await.unwrap());
            assert!(matches!(refreshed.status, 200 | 400), "{}", refreshed.body);
            assert!(matches!(exchanged.status, 200 | 400), "{}", exchanged.body);
            delivers.await.unwrap();
            assert_eq!((found, rows_of_people(&world).await), (1, 0), "round {round}");
            world.advance(MINUTE);
            world.deliver().await.unwrap();
            let told = tombstones(&receiver).await.len();
            let was_told = letters(&receiver, "person.sign_in").await.iter()
                .any(|it| it["data"]["email"] == format!("{name}@example.com"));
            assert!(!was_told || told == round + 1, "{told} in round {round}");
            assert_eq!(rows_of_people(&world).await, 0);
            house.gatehouse.store.close().await;
        }
    }

    async fn sign_ins_and_erasures_at_once_end_in_one_person_or_none(backend: Backend) {
        let receiver = Receiver::start().await;
        let world = house(backend, &curious("one", &receiver)).await;
        let client = world.client("editor").await;
        for _ in 0..4 {
            client.signed_in(&world, "alice").await;
            world.deliver().await.unwrap();
            let user_id = people(&world).await[0];
            let mut browser = world.browser();
            let location = client.approve(&mut browser, &[]).await;
            let callback = world.auth0.log_in(&location, &Person::named("alice"));
            let house = Arc::new(world.house_with(&[]).await.unwrap());
            let erasing = Arc::clone(&house);
            let erases = tokio::spawn(async move {
                erasing.gatehouse.erase_person(Actor::Command, user_id).await.unwrap()
            });
            browser.get(&callback).await.expect(303);
            assert!(erases.await.unwrap().is_some());
            // Whoever is there now signed in after the erasure, and is somebody else.
            let now = people(&world).await;
            assert!(now.len() <= 1 && !now.contains(&user_id), "{now:?}");
            let house = &house.gatehouse;
            for user_id in now {
                house.erase_person(Actor::Command, user_id).await.unwrap();
            }
            assert_eq!(rows_of_people(&world).await, 0);
            house.store.close().await;
        }
    }

    async fn a_killed_process_has_erased_somebody_or_nobody(backend: Backend) {
        let receiver = Receiver::start().await;
        let mut world = World::start(backend).await;
        let folder = tempfile::tempdir().unwrap();
        let file = sink("one", &receiver.url(), "\"person.sign_in\"", FIELDS, "");
        std::fs::write(folder.path().join("gatehouse.toml"), file).unwrap();
        let mut process =
            Process::start_with(&world, folder.path(), "p", &[("LOG", "debug")], &SECRETS).await;
        world.url.clone_from(&process.url);
        world.local.clone_from(&process.url);
        world.auth0.in_real_time();
        world.keep_no_connections();
        receiver.be_silent();
        world.client("editor").await.signed_in(&world, "alice").await;
        // It is killed while it talks to the sink, and the person is erased meanwhile.
        receiver.until(1).await;
        process.kill();
        let id = people(&world).await[0].to_string();
        let command = format!("users erase {id} --yes");
        let (code, said) = run_with(&world, folder.path(), &command, &[], &SECRETS).await;
        assert_eq!((code, rows_of_people(&world).await), (Some(0), 0), "{said}");
        assert!(said.contains("one is told to forget this person"), "{said}");
        // The lease would last a minute of real time.
        crate::support::database::db_execute(
            &world.database_url, "UPDATE outbox SET next_attempt_at = 0").await;
        receiver.speak();
        process.start_again(&world).await;
        receiver.until(2).await;
        assert_eq!(tombstones(&receiver).await.len(), 1);
        // It is written down when the answer is there.
        let delivered = async {
            while !process.written().contains("\"delivered\"") {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(30 * SECOND, delivered).await.expect("it writes of deliveries");
        let written = process.written();
        for word in ["alice", "from=mcp", "MfKQ9r8G", "AAECAwQFBgc", "/thanks"] {
            assert!(!written.contains(word), "{word} is in the log");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_export_by_command_holds_everything_and_opens_it() {
    let receiver = Receiver::start().await;
    let world = house(Backend::Sqlite, &curious("one", &receiver)).await;
    let mcp = alice(&world).await;
    submit(&mcp, "my private words").await;
    world.deliver().await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let command = "users export --email alice@example.com";
    let (code, said) = run(&world, folder.path(), command, &[]).await;
    assert_eq!(code, Some(0), "{said}");
    let data: Value = serde_json::from_str(&said).unwrap();
    assert_eq!(data["person"][0]["profile"]["email"], "alice@example.com");
    assert_eq!(data["feedback"][0]["text"], "my private words");
    assert_eq!(data["known_to_sinks"][0]["told"]["upstream_subject"], json!(["auth0|alice"]));
    assert_eq!(data["disclosures"].as_array().unwrap().len(), 3);
    for section in SECTIONS {
        assert!(data[section.name].is_array(), "{}", section.name);
    }
    let (code, said) = run(&world, folder.path(), "users export nobody", &[]).await;
    assert_eq!((code, said.as_str()), (Some(1), ""));
}
