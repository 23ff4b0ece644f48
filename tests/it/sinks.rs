//! Who is told of what happens to people: exactly what the settings name, once, whatever happens.

use std::collections::BTreeSet;

use gatehouse::attribution::happening::{Detail, Happening};
use gatehouse::clock::Clock as _;
use gatehouse::config::sink_words::SinkEvent;
use serde_json::{Value, json};
use uuid::Uuid;
use wiremock::{Request, ResponseTemplate};

use crate::delivery::{alice, submit};
use crate::support::database::{db_execute, db_number};
use crate::support::process::{run, run_with};
use crate::support::receiver::header;
use crate::support::relay::{Blow, Moment};
use crate::support::signed_in::{log_in, signed_in};
use crate::support::sinks::{SECRETS, body, erased, people, sink};
use crate::support::{Backend, DAY, HOUR, MINUTE, Person, Receiver, Relay, World, on_both};

/// The sink that a team's CRM is.
fn crm(url: &str) -> String {
    format!(
        "[[sink]]\nname = \"crm\"\nurl = \"{url}\"\nsecret_env = \"CRM_SECRET\"\n\
         preset = \"crm\"\npurpose = \"to welcome new readers\"\n"
    )
}

async fn house(backend: Backend, file: &str) -> World {
    World::with_file(backend, &[], file, &SECRETS).await
}

async fn bodies(receiver: &Receiver) -> Vec<Value> {
    receiver.received().await.iter().map(body).collect()
}

async fn waiting(world: &World) -> i64 {
    let sql = "SELECT count(*) FROM outbox WHERE next_attempt_at IS NOT NULL";
    db_number(&world.database_url, sql).await
}

/// Checks a signature as whoever has the secret does.
fn is_signed(request: &Request, secret: &str) -> bool {
    use base64::Engine as _;
    use hmac::{KeyInit as _, Mac as _};
    let engine = base64::engine::general_purpose::STANDARD;
    let secret = engine.decode(secret.trim_start_matches("whsec_")).expect("base64");
    let mut mac = hmac::Hmac::<sha2::Sha256>::new_from_slice(&secret).expect("any length");
    let (id, at) = (header(request, "webhook-id"), header(request, "webhook-timestamp"));
    mac.update(format!("{id}.{at}.").as_bytes());
    mac.update(&request.body);
    let expected = format!("v1,{}", engine.encode(mac.finalize().into_bytes()));
    header(request, "webhook-signature").split(' ').any(|signature| signature == expected)
}

/// Says that everybody there is called a tool this often, as whoever counts calls does.
async fn called(world: &World, times: u64) -> Vec<Happening> {
    let mut happenings = Vec::new();
    for user_id in people(world).await {
        for number in 0..times {
            let (person, _) = user_id.uuid().as_u64_pair();
            happenings.push(Happening {
                event: SinkEvent::ToolCalled,
                user_id,
                occasion: Uuid::from_u64_pair(person, number),
                client_id: Some("client".to_owned()),
                client_product: Some("Example Chat".to_owned()),
                detail: Detail::Tool { tool: "search_docs".into(), outcome: "answered".into() },
                at: world.clock.now(),
            });
        }
    }
    queue(world, &happenings).await;
    happenings
}

async fn queue(world: &World, happenings: &[Happening]) {
    let house = world.house_with(&[]).await.expect("it can be built");
    let gatehouse = &house.gatehouse;
    let txn = gatehouse.store.begin().await.expect("it answers");
    let now = world.clock.now();
    gatehouse.sinks.queue(&txn, happenings, now).await.expect("it can be queued");
    txn.commit().await.expect("it answers");
    gatehouse.store.close().await;
}

on_both! {
    async fn the_crm_is_told_once_of_somebody_new_and_nothing_else(backend: Backend) {
        let receiver = Receiver::start().await;
        let world = house(backend, &crm(&receiver.url())).await;
        world.client("editor").await.signed_in(&world, "alice").await;
        world.deliver().await.unwrap();
        let expected = json!({
            "email": "alice@example.com", "domain": "example.com", "sub": "auth0|alice",
            "emailVerified": true, "source": "mcp", "timestamp": "2027-01-15T08:00:00.000Z",
        });
        assert_eq!(bodies(&receiver).await, [expected]);
        let request = receiver.received().await.remove(0);
        assert_eq!(header(&request, "content-type"), "application/json");
        assert!(is_signed(&request, SECRETS[0].1));
        assert!(!is_signed(&request, SECRETS[1].1.split(' ').next().unwrap()));
        // Again, in a browser, and with another program: nobody is new any more.
        world.client("other").await.signed_in(&world, "alice").await;
        signed_in(&world, "alice").await;
        world.advance(DAY);
        world.deliver().await.unwrap();
        assert_eq!(receiver.received().await.len(), 1);
        // Who comes with a browser first is new as well, and what the provider does not say is
        // told as not known.
        let mut browser = world.browser();
        let bob = Person::named("bob").with("email_verified", Value::Null);
        log_in(&world, &mut browser, &bob, &format!("{}/account", world.url)).await.expect(303);
        world.deliver().await.unwrap();
        let told = bodies(&receiver).await;
        assert_eq!(told.len(), 2);
        assert_eq!(told[1]["sub"], "auth0|bob");
        assert_eq!(told[1]["emailVerified"], Value::Null);
    }

    async fn two_sinks_cannot_put_together_what_each_knows(backend: Backend) {
        let (one, two) = (Receiver::start().await, Receiver::start().await);
        let events = "\"person.sign_in\"";
        let file = sink("one", &one.url(), events, "\"id\", \"organization\"", "")
            + &sink("two", &two.url(), events, "\"id\", \"domain\"", "");
        let world = house(backend, &file).await;
        let client = world.client("editor").await;
        client.signed_in(&world, "alice").await;
        client.signed_in(&world, "alice").await;
        world.deliver().await.unwrap();
        let (ones, twos) = (bodies(&one).await, bodies(&two).await);
        assert_eq!((ones.len(), twos.len()), (2, 2));
        // The same person at one sink, another at the other, and nothing else in common.
        assert_eq!(ones[0]["data"]["id"], ones[1]["data"]["id"]);
        assert_ne!(ones[0]["data"]["id"], twos[0]["data"]["id"]);
        assert_eq!(ones[0]["data"]["organization"], "example-inc");
        let keys = |all: &[Value]| {
            let key = |body: &Value| body["idempotency_key"].as_str().unwrap().to_owned();
            all.iter().map(key).collect::<BTreeSet<_>>()
        };
        assert_eq!((keys(&ones).len(), keys(&ones).is_disjoint(&keys(&twos))), (2, true));
        for body in ones.iter().chain(&twos) {
            assert!(!body.to_string().contains("alice"), "{body}");
            assert_eq!(body["data"].as_object().unwrap().len(), 2);
        }
    }

    async fn a_name_at_a_sink_outlives_the_servers_secret(backend: Backend) {
        let receiver = Receiver::start().await;
        let file = sink("one", &receiver.url(), "\"person.sign_in\"", "\"id\"", "");
        let mut world = house(backend, &file).await;
        let client = world.client("editor").await;
        client.signed_in(&world, "alice").await;
        world.deliver().await.unwrap();
        let other = "Hx4dHBsaGRgXFhUUExIREA8ODQwLCgkIBwYFBAMCAQA=";
        let before = crate::support::world::SERVER_SECRET;
        world.restart(&[("secret", other), ("secret_previous", before)]).await;
        client.signed_in(&world, "alice").await;
        world.deliver().await.unwrap();
        let told = bodies(&receiver).await;
        assert_eq!((told.len(), &told[0]["data"]), (2, &told[1]["data"]));
    }

    async fn two_sign_ins_at_once_are_one_first(backend: Backend) {
        let receiver = Receiver::start().await;
        let world = house(backend, &crm(&receiver.url())).await;
        let client = world.client("editor").await;
        let alice = Person::named("alice");
        for round in 0..3 {
            let mut callbacks = Vec::new();
            for _ in 0..6 {
                let mut browser = world.browser();
                let location = client.approve(&mut browser, &[]).await;
                let person = alice.clone().with("sub", json!(format!("auth0|{round}")));
                callbacks.push((browser, world.auth0.log_in(&location, &person)));
            }
            let calls = callbacks.into_iter().map(|(mut browser, callback)| {
                tokio::spawn(async move { browser.get(&callback).await.expect(303) })
            });
            for call in calls.collect::<Vec<_>>() {
                call.await.unwrap();
            }
        }
        world.deliver().await.unwrap();
        assert_eq!(receiver.received().await.len(), 3);
    }

    async fn a_sink_that_fails_gets_everything_in_the_end_and_can_put_it_in_order(
        backend: Backend
    ) {
        let receiver = Receiver::start().await;
        let fields = "\"source\", \"client\"";
        let file = sink("one", &receiver.url(), "\"person.sign_in\"", fields, "");
        let world = house(backend, &file).await;
        let client = world.client("editor").await;
        let elsewhere = receiver.url().replace("/thanks", "/elsewhere");
        receiver.says_in_turn([
            ResponseTemplate::new(503),
            ResponseTemplate::new(307).insert_header("location", &*elsewhere),
            ResponseTemplate::new(410),
            ResponseTemplate::new(429).insert_header("retry-after", "60"),
            ResponseTemplate::new(204),
        ]);
        for _ in 0..4 {
            client.signed_in(&world, "alice").await;
            world.deliver().await.unwrap();
            world.advance(std::time::Duration::from_secs(1));
        }
        assert_eq!(waiting(&world).await, 4);
        world.advance(HOUR);
        world.deliver().await.unwrap();
        assert_eq!(waiting(&world).await, 0);
        let received = receiver.received().await;
        assert!(received.iter().all(|request| request.url.path() == "/thanks"));
        let told: Vec<_> = received.iter().map(body).collect();
        let times: BTreeSet<_> = told.iter().map(|it| it["time"].as_str().unwrap()).collect();
        let keys: BTreeSet<_> = received.iter().map(|it| header(it, "idempotency-key")).collect();
        assert_eq!((told.len(), times.len(), keys.len()), (8, 4, 4));
        for (request, body) in received.iter().zip(&told) {
            assert_eq!(body["idempotency_key"], header(request, "idempotency-key"));
            assert_eq!(body["data"], json!({"source": "mcp", "client": client.client_id}));
        }
    }

    async fn a_lost_answer_is_a_duplicate_under_the_same_name_and_one_entry_of_the_ledger(
        backend: Backend
    ) {
        let receiver = Receiver::start().await;
        let relay = Relay::to(vec![receiver.address()]).await;
        let url = format!("http://{}/in", relay.address());
        let world = house(backend, &crm(&url)).await;
        relay.arm(Moment { message: 0, is_delivered: true }, Blow::Stall);
        world.client("editor").await.signed_in(&world, "alice").await;
        receiver.until(1).await;
        relay.cut();
        world.deliver().await.unwrap();
        world.advance(MINUTE);
        world.deliver().await.unwrap();
        let keys = receiver.keys().await;
        assert_eq!((keys.len(), &keys[0]), (2, &keys[1]));
        let sql = "SELECT count(*) FROM disclosures";
        assert_eq!(db_number(&world.database_url, sql).await, 1);
    }

    async fn one_sink_that_is_silent_holds_up_no_other(backend: Backend) {
        let (silent, other) = (Receiver::start().await, Receiver::start().await);
        let events = "\"person.sign_in\"";
        let file = sink("one", &silent.url(), events, "\"id\"", "")
            + &sink("two", &other.url(), events, "\"id\"", "");
        let world = house(backend, &file).await;
        silent.be_silent();
        world.client("editor").await.signed_in(&world, "alice").await;
        silent.until(1).await;
        other.until(1).await;
        silent.speak();
        world.deliver().await.unwrap();
        assert_eq!(waiting(&world).await, 0);
    }

    async fn events_are_written_with_what_they_tell_of_or_not_at_all(backend: Backend) {
        let receiver = Receiver::start().await;
        let world = house(backend, &crm(&receiver.url())).await;
        let client = world.client("editor").await;
        db_execute(&world.database_url, "ALTER TABLE outbox RENAME TO outbox_away").await;
        let mut browser = world.browser();
        let location = client.approve(&mut browser, &[]).await;
        let callback = world.auth0.log_in(&location, &Person::named("alice"));
        browser.get(&callback).await.expect(503);
        assert_eq!(db_number(&world.database_url, "SELECT count(*) FROM users").await, 0);
        db_execute(&world.database_url, "ALTER TABLE outbox_away RENAME TO outbox").await;
        client.signed_in(&world, "alice").await;
        world.deliver().await.unwrap();
        assert_eq!(receiver.received().await.len(), 1);
    }

    async fn feedback_goes_to_sinks_with_the_fields_they_name(backend: Backend) {
        let receiver = Receiver::start().await;
        let fields = "\"category\", \"page_url\", \"organization_source\"";
        let file = sink("one", &receiver.url(), "\"feedback.submitted\"", fields, "");
        let world = house(backend, &file).await;
        let receipt = submit(&alice(&world).await, "my private words").await;
        world.deliver().await.unwrap();
        let told = bodies(&receiver).await;
        let expected = json!({"category": "bug", "organization_source": "provider",
            "page_url": "https://docs.example.com/install?x=1#linux"});
        assert_eq!((told.len(), &told[0]["data"]), (1, &expected));
        // The receipt is between the person and this server.
        assert!(!told[0].to_string().contains(&receipt));
    }

    async fn calls_of_tools_go_together_and_are_one_entry_a_day(backend: Backend) {
        let receiver = Receiver::start().await;
        let fields = "\"id\", \"tool\", \"outcome\", \"client_product\"";
        let file = sink("one", &receiver.url(), "\"tool.called\"", fields, "");
        let world = house(backend, &file).await;
        world.client("editor").await.signed_in(&world, "alice").await;
        world.client("editor").await.signed_in(&world, "bob").await;
        let users = "SELECT count(*) FROM users";
        assert_eq!(db_number(&world.database_url, users).await, 2);
        called(&world, 250).await;
        // Written twice, as when an answer of the database was lost: queued once.
        called(&world, 250).await;
        world.deliver().await.unwrap();
        let told = bodies(&receiver).await;
        let count = |body: &Value| body["events"].as_array().unwrap().len();
        assert_eq!(told.iter().map(count).sum::<usize>(), 500);
        assert!(told.len() == 6 && told.iter().all(|body| count(body) <= 100));
        let mut keys = BTreeSet::new();
        for letter in &told {
            let ids: BTreeSet<_> = letter["events"].as_array().unwrap().iter()
                .map(|event| event["data"]["id"].to_string()).collect();
            assert_eq!(ids.len(), 1, "a letter is about one person");
            for event in letter["events"].as_array().unwrap() {
                assert_eq!(event["data"]["tool"], "search_docs");
                assert!(event["time"].is_string() && keys.insert(event["idempotency_key"].clone()
                    .to_string()));
            }
        }
        let entries = "SELECT count(*) FROM disclosures WHERE event = 'tool.called'";
        assert_eq!(db_number(&world.database_url, entries).await, 2);
    }

    async fn who_was_erased_is_passed_over_by_what_still_tells_of_them(backend: Backend) {
        let receiver = Receiver::start().await;
        let file = sink("one", &receiver.url(), "\"tool.called\"", "\"tool\"", "");
        let world = house(backend, &file).await;
        world.client("editor").await.signed_in(&world, "alice").await;
        let happenings = called(&world, 1).await;
        erased(&world).await;
        queue(&world, &happenings).await;
        world.deliver().await.unwrap();
        assert_eq!((receiver.received().await.len(), waiting(&world).await), (0, 0));
    }

    async fn what_was_given_up_is_queued_by_the_operator(backend: Backend) {
        let receiver = Receiver::start().await;
        let world = house(backend, &crm(&receiver.url())).await;
        receiver.says(ResponseTemplate::new(410));
        world.client("editor").await.signed_in(&world, "alice").await;
        world.deliver().await.unwrap();
        db_execute(&world.database_url, "UPDATE outbox SET failed_at = 1, next_attempt_at = NULL")
            .await;
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("gatehouse.toml"), crm(&receiver.url())).unwrap();
        receiver.says(ResponseTemplate::new(200));
        for (command, answer) in [
            ("sinks list", "       0 wait for crm\n       1 were given up\n"),
            ("sinks deliver", "       1 queued again for crm that were given up\n"),
            ("sinks list", "       1 wait for crm\n       0 were given up\n"),
        ] {
            let (code, said) = run_with(&world, folder.path(), command, &[], &SECRETS).await;
            assert_eq!((code, said.as_str()), (Some(0), answer));
        }
        world.deliver().await.unwrap();
        let keys = receiver.keys().await;
        assert_eq!((keys.len(), &keys[0]), (2, &keys[1]));
    }

    async fn check_says_what_each_sink_gets_and_makes_no_event(backend: Backend) {
        let receiver = Receiver::start().await;
        let world = World::start(backend).await;
        let folder = tempfile::tempdir().unwrap();
        let file = crm(&receiver.url());
        std::fs::write(folder.path().join("gatehouse.toml"), file).unwrap();
        let (code, said) = run(&world, folder.path(), "check", &[]).await;
        assert_eq!(code, Some(1), "the variable is not set: {said}");
        let (_, said) = run_with(&world, folder.path(), "check", &[], &SECRETS).await;
        for line in [
            "ok    sink[0] (crm, 127.0.0.1): it answers",
            "sink[0] (crm, 127.0.0.1) is told of person.first_sign_in, to welcome new readers",
            "is told email, domain, sub, emailVerified, source, timestamp",
        ] {
            assert!(said.contains(line), "{line:?} is missing in {said}");
        }
        assert!(!said.contains("from=mcp"), "an address may hold a key: {said}");
        for request in receiver.received().await {
            assert_eq!(request.method.as_str(), "HEAD");
        }
    }
}
