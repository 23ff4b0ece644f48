//! What a person may ask of an operator, and who would break if everybody had to sign in: by the
//! admin API and on the dashboard.

use gatehouse::clock::Clock as _;
use serde_json::{Value, json};

use crate::delivery::submit;
use crate::enforcement::{address, grace, search, send};
use crate::support::admin::{ALICE_ADMINISTERS, Operator, administers};
use crate::support::browser::form;
use crate::support::database::{db_execute, db_number};
use crate::support::sinks::{SECRETS, body, sink};
use crate::support::{Backend, MINUTE, Receiver, Tokens, World, on_both};

const EVENTS: &str = "\"person.first_sign_in\", \"person.erased\"";

/// A house that Alice administers, with a sink that is told of people.
async fn house(backend: Backend, receiver: &Receiver) -> World {
    let curious = sink("crm", &receiver.url(), EVENTS, "\"id\", \"email\"", "");
    let quiet = sink("quiet", &receiver.url(), "\"tool.called\"", "\"tool\"", "");
    World::with_file(backend, &[ALICE_ADMINISTERS], &(curious + &quiet), &SECRETS).await
}

fn sub(tokens: &Tokens) -> String {
    tokens.claims()["sub"].as_str().expect("a person").to_owned()
}

/// Who did what is of this kind, as the audit log tells it.
async fn told(operator: &Operator, kind: &str) -> Vec<String> {
    let rows = operator.all(&format!("/audit?kind={kind}"), 50).await;
    rows.iter().map(|row| row["who"].as_str().expect("somebody").to_owned()).collect()
}

async fn people(world: &World) -> i64 {
    db_number(&world.database_url, "SELECT count(*) FROM users").await
}

/// Does this to a person on the dashboard, with what is typed for it.
async fn acts(world: &World, person: &str, act: &str, confirm: &str) -> crate::support::Answer {
    let mut browser = administers(world, "alice").await;
    let page = browser.get(&world.admin_at("/admin/people")).await.expect(200);
    let own = form(&page.body[page.body.find("</table").expect("there is Alice")..]);
    let own = own.fields.iter().find(|(name, _)| name == "form").expect("a form").1.clone();
    let fields = [("form", own.as_str()), ("act", act), ("of", person), ("confirm", confirm)];
    let request = world.http.post(world.admin_at("/admin/act")).form(&fields);
    browser.send(request.header("origin", &world.admin_url)).await
}

on_both! {
    async fn a_person_is_exported_to_whoever_may_change_things(backend: Backend) {
        let receiver = Receiver::start().await;
        let world = house(backend, &receiver).await;
        let tokens = world.client("editor").await.signed_in(&world, "bob").await;
        submit(&world.mcp(&tokens.access_token), "my words").await;
        let path = format!("/people/{}/export", sub(&tokens));
        let reader = Operator::with(&world, "reader", "read").await;
        assert_eq!(reader.post(&path).await.expect(403).json()["code"], "insufficient_scope");
        let writer = Operator::with(&world, "writer", "write").await;
        let exported = writer.post(&path).await.expect(200).json();
        assert_eq!(exported["person"][0]["profile"]["email"], "bob@example.com");
        assert_eq!(exported["feedback"][0]["text"], "my words");
        // The same in a browser, as a file.
        let file = acts(&world, &sub(&tokens), "export_person", "").await.expect(200);
        let disposition = file.header("content-disposition");
        assert_eq!(disposition, Some("attachment; filename=\"person.json\""));
        assert_eq!(file.json()["feedback"], exported["feedback"]);
        let by = told(&writer, "person_exported").await;
        assert!(by.len() == 2 && by.contains(&"token:writer".to_owned()), "{by:?}");
        assert!(by.iter().any(|by| by.starts_with("person:")), "{by:?}");
    }

    async fn a_person_is_erased_and_their_tokens_end_here_at_once(backend: Backend) {
        let receiver = Receiver::start().await;
        let world = house(backend, &receiver).await;
        let client = world.client("editor").await;
        let bob = client.signed_in(&world, "bob").await;
        let carol = client.signed_in(&world, "carol").await;
        world.deliver().await.unwrap();
        world.mcp(&bob.access_token).tool("whoami", json!({})).await.expect(200);
        let path = format!("/people/{}/erase", sub(&bob));
        let reader = Operator::with(&world, "reader", "read").await;
        assert_eq!(reader.post(&path).await.expect(403).json()["code"], "insufficient_scope");
        assert_eq!(people(&world).await, 2);
        let writer = Operator::with(&world, "writer", "write").await;
        let erased = writer.post(&path).await.expect(200).json();
        let grant = bob.claims()["gid"].clone();
        assert_eq!(erased, json!({"grants": [grant], "sinks": ["crm"], "others": []}));
        assert_eq!(people(&world).await, 1);
        world.mcp(&bob.access_token).tool("whoami", json!({})).await.expect(401);
        world.mcp(&carol.access_token).tool("whoami", json!({})).await.expect(200);
        // Once more there is nobody.
        writer.post(&path).await.expect(404);
        assert_eq!(told(&writer, "person_erased").await, ["token:writer"]);
        world.advance(2 * MINUTE);
        world.deliver().await.unwrap();
        let told = receiver.received().await;
        let last = body(told.last().unwrap());
        assert_eq!(last["type"], "person.erased");
        assert_eq!(last["data"]["email"], json!(["bob@example.com"]));
    }

    async fn an_erasure_on_the_dashboard_has_to_be_typed(backend: Backend) {
        let receiver = Receiver::start().await;
        let world = house(backend, &receiver).await;
        let bob = world.client("editor").await.signed_in(&world, "bob").await;
        world.deliver().await.unwrap();
        for typed in ["", "yes", "erase bob"] {
            let refused = acts(&world, &sub(&bob), "erase_person", typed).await;
            assert_eq!(refused.location(), format!("/admin/people/{}?done=not_erased", sub(&bob)));
        }
        // Bob, and Alice who administers.
        assert_eq!(people(&world).await, 2);
        let done = acts(&world, &sub(&bob), "erase_person", " Erase ").await.expect(200);
        assert!(done.body.contains("This person is erased") && done.body.contains(": crm."));
        assert!(!done.body.contains("bob@"));
        assert_eq!(people(&world).await, 1);
        acts(&world, &sub(&bob), "erase_person", "erase").await.expect(404);
    }

    async fn who_was_told_what_stands_with_the_person(backend: Backend) {
        let receiver = Receiver::start().await;
        let world = house(backend, &receiver).await;
        let bob = world.client("editor").await.signed_in(&world, "bob").await;
        world.deliver().await.unwrap();
        let object = format!(
            "INSERT INTO sink_opt_outs (user_id, destination, opted_out_at)
             SELECT id, 'sink:quiet', {} FROM users",
            world.clock.now().millis()
        );
        db_execute(&world.database_url, &object).await;
        let operator = Operator::with(&world, "o", "read").await;
        let person = operator.get(&format!("/people/{}", sub(&bob))).await.expect(200).json();
        assert_eq!(person["disclosures"], json!([{
            "receiver": "sink:crm", "event": "person.first_sign_in", "fields": ["email", "id"],
            "purpose": "to see what helps", "disclosed_at": "2027-01-15T08:00:00.000Z",
        }]));
        assert_eq!(person["objections"], json!([
            {"receiver": "sink:quiet", "since": "2027-01-15T08:00:00.000Z"},
        ]));
        let mut browser = administers(&world, "alice").await;
        let page = world.admin_at(&format!("/admin/people/{}", sub(&bob)));
        let page = browser.get(&page).await.expect(200).body;
        for shown in ["sink:crm", "email, id", "to see what helps", "sink:quiet"] {
            assert!(page.contains(shown), "{shown}: {page}");
        }
    }

    async fn every_sink_of_the_settings_is_listed_used_or_not(backend: Backend) {
        let receiver = Receiver::start().await;
        let world = house(backend, &receiver).await;
        world.client("editor").await.signed_in(&world, "bob").await;
        world.deliver().await.unwrap();
        let stranger = "UPDATE outbox SET destination = 'sink:gone'";
        db_execute(&world.database_url, stranger).await;
        let operator = Operator::with(&world, "o", "write").await;
        let sinks = operator.get("/sinks").await.expect(200).json();
        let told = |row: &Value| {
            let (name, host) = (row["name"].as_str().unwrap(), row["host"].as_str().unwrap_or("-"));
            format!("{name} {host} {} {} {}", row["configured"], row["fields"], row["delivered"])
        };
        let told: Vec<_> = sinks["items"].as_array().unwrap().iter().map(told).collect();
        assert_eq!(told, [
            "sink:crm 127.0.0.1 true [\"id\",\"email\"] 0",
            "sink:gone - false [] 1",
            "sink:quiet 127.0.0.1 true [\"tool\"] 0",
        ]);
        let queued = operator.post("/sinks/sink:quiet/redeliver").await.expect(200).json();
        assert_eq!(queued, json!({"deliveries": 0}));
    }

    async fn who_would_break_is_told_and_a_halt_is_ended(backend: Backend) {
        let world = grace(backend, &[ALICE_ADMINISTERS, ("enforce_share", "50")]).await;
        for (number, agent) in [(1, "cursor"), (2, "cursor"), (3, "node")] {
            send(&world.anonymous_mcp(), &address(number), agent, &search()).await;
        }
        world.tend_enforcement().await.unwrap();
        let reader = Operator::with(&world, "reader", "read").await;
        let all = reader.get("/enforcement").await.expect(200).json();
        assert_eq!(all["replayed"], "100% of callers");
        assert_eq!(all["in_force"], "50% of callers");
        assert_eq!((&all["from"], &all["to"]), (&json!("2027-01-09"), &json!("2027-01-15")));
        assert_eq!(all["halted"], false);
        let line = |kind: &str, key: &str, all: &Value| {
            let lines = all["lines"].as_array().unwrap().clone();
            let found = lines.into_iter().find(|line| line["kind"] == kind && line["key"] == key);
            found.unwrap_or_else(|| panic!("no {kind} {key}: {all}"))
        };
        let whole = line("all", "", &all);
        assert_eq!((&whole["callers"], &whole["asked_callers"]), (&json!(3), &json!(3)));
        let cursor = line("client", "Cursor", &all);
        assert_eq!((&cursor["callers"], &cursor["asked_calls"]), (&json!(2), &json!(2)));
        assert!(cursor["signs_in"].is_string(), "{cursor}");
        line("tool", "search_docs", &all);
        let none = reader.get("/enforcement?share=0&days=1").await.expect(200).json();
        assert_eq!(line("all", "", &none)["asked_callers"], 0);
        // A halt that an operator ends, once.
        let halt = "INSERT INTO enforcement_halts (id, halted_at, challenged, returned)
                    VALUES ({id}, 1800000000000, 20, 1)";
        let id = "00000000000000000000000000000007";
        let id = match backend {
            Backend::Sqlite => format!("x'{id}'"),
            Backend::Postgres => format!("'{id}'"),
        };
        db_execute(&world.database_url, &halt.replace("{id}", &id)).await;
        assert_eq!(reader.get("/enforcement").await.expect(200).json()["halted"], true);
        reader.post("/enforcement/resume").await.expect(403);
        let mut browser = administers(&world, "alice").await;
        let page = browser.get(&world.admin_at("/admin/enforcement?days=3")).await.expect(200);
        let (shown, halted) = (page.body.contains("Cursor"), page.body.contains("end the halt"));
        assert!(shown && halted, "{}", page.body);
        let writer = Operator::with(&world, "writer", "write").await;
        let resumed = async || writer.post("/enforcement/resume").await.expect(200).json();
        assert_eq!(resumed().await, json!({"resumed": true}));
        assert_eq!(resumed().await, json!({"resumed": false}));
        assert_eq!(told(&writer, "enforcement_resumed").await, ["token:writer"]);
        let page = browser.get(&world.admin_at("/admin/enforcement")).await.expect(200);
        assert!(!page.body.contains("end the halt"), "{}", page.body);
        let odd = browser.get(&world.admin_at("/admin/enforcement?share=lots")).await;
        assert!(odd.expect(400).body.contains("One of the filters"));
    }
}
