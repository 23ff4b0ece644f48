//! How feedback is handed on: exactly once as far as the receiver can tell, and whatever happens.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use wiremock::ResponseTemplate;

use crate::support::database::{db_execute, db_number};
use crate::support::process::run;
use crate::support::receiver::{fields, header};
use crate::support::relay::{Blow, Moment};
use crate::support::{
    Backend, DAY, HOUR, MINUTE, McpClient, Process, Receiver, Relay, SECOND, World, on_both,
};

/// Alice's hands, signed in just now.
pub async fn alice(world: &World) -> McpClient {
    let tokens = world.client("editor").await.signed_in(world, "alice").await;
    world.mcp(&tokens.access_token)
}

/// Sends a feedback; its receipt.
pub async fn submit(mcp: &McpClient, feedback: &str) -> String {
    let arguments = json!({"feedback": feedback, "category": "bug",
        "page_url": "https://docs.example.com/install?x=1#linux"});
    let answer = mcp.tool("submit_documentation_feedback", arguments).await.expect(200).json();
    let content = &answer["result"]["structuredContent"];
    content["receipt"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned()
}

pub async fn status(mcp: &McpClient, receipt: &str) -> Value {
    let answer = mcp.tool("feedback_status", json!({"receipt": receipt})).await.expect(200).json();
    answer["result"]["structuredContent"]["status"].clone()
}

async fn feedback_rows(world: &World) -> i64 {
    db_number(&world.database_url, "SELECT count(*) FROM feedback").await
}

async fn rows_that_failed_with(world: &World, failure: &str) -> i64 {
    let sql = format!("SELECT count(*) FROM outbox WHERE last_failure = '{failure}'");
    db_number(&world.database_url, &sql).await
}

/// A house that posts to `receiver` through a relay.
async fn behind_a_relay(backend: Backend, receiver: &Receiver) -> (Relay, World) {
    let relay = Relay::to(vec![receiver.address()]).await;
    let feedback = format!("kind=form,url=http://{}/form", relay.address());
    let world = World::with(backend, &[("feedback", &feedback)]).await;
    (relay, world)
}

const REACHED: Moment = Moment { message: 0, is_delivered: true };
const NOT_REACHED: Moment = Moment { message: 0, is_delivered: false };

on_both! {
    async fn a_form_gets_each_field_once_and_unasked(backend: Backend) {
        let receiver = Receiver::start().await;
        let settings = [("feedback", &*receiver.form()), ("docs_url", "https://docs.example.com")];
        let world = World::with(backend, &settings).await;
        let mcp = alice(&world).await;
        let receipt = submit(&mcp, "Größe & \"Farbe\" = 100%\nfehlen").await;
        receiver.until(1).await;
        world.deliver().await.unwrap();
        let received = receiver.received().await;
        assert_eq!(received.len(), 1);
        let request = &received[0];
        assert_eq!((request.method.as_str(), request.url.path()), ("POST", "/thanks"));
        assert_eq!(request.url.query(), Some("from=mcp"));
        assert_eq!(header(request, "idempotency-key"), receipt);
        let expected = [
            ("form-name", "api-feedback"),
            ("feedback", "Größe & \"Farbe\" = 100%\nfehlen"),
            ("category", "bug"),
            ("page-path", "/install"),
            ("user-email", "alice@example.com"),
            ("user-domain", "example.com"),
            ("bot-field", ""),
        ];
        assert_eq!(fields(request), expected.map(|(k, v)| (k.to_owned(), v.to_owned())));
        assert_eq!(status(&mcp, &receipt).await, "delivered");
        world.advance(DAY);
        world.deliver().await.unwrap();
        assert_eq!(receiver.keys().await.len(), 1);
        // What was told is kept once, sealed, where it was stored.
        let told = "SELECT count(*) FROM outbox WHERE payload_sealed IS NOT NULL";
        assert_eq!(db_number(&world.database_url, told).await, 0);
    }

    async fn names_and_constants_are_those_of_the_settings(backend: Backend) {
        let receiver = Receiver::start().await;
        let feedback = format!("{},form_name=docs,fields.feedback=message,fields.receipt=nr,\
            omit=user-email,omit=page-path,constants.source=mcp", receiver.form());
        let world = World::with(backend, &[("feedback", &feedback)]).await;
        let receipt = submit(&alice(&world).await, "words").await;
        world.deliver().await.unwrap();
        let expected = [
            ("form-name", "docs"), ("message", "words"), ("category", "bug"),
            ("user-domain", "example.com"), ("bot-field", ""), ("nr", &*receipt),
            ("source", "mcp"),
        ];
        let sent = fields(&receiver.received().await[0]);
        assert_eq!(sent, expected.map(|(k, v)| (k.to_owned(), v.to_owned())));
    }

    async fn a_redirect_is_a_failure_and_is_not_followed(backend: Backend) {
        let receiver = Receiver::start().await;
        let world = World::with(backend, &[("feedback", &receiver.form())]).await;
        let mcp = alice(&world).await;
        let elsewhere = receiver.url().replace("/thanks", "/elsewhere");
        for status_code in [301, 302, 303, 307, 308] {
            let before = receiver.keys().await.len();
            let redirect = ResponseTemplate::new(status_code);
            receiver.says(redirect.insert_header("location", &*elsewhere));
            let receipt = submit(&mcp, "words").await;
            world.deliver().await.unwrap();
            assert_eq!(status(&mcp, &receipt).await, "delivering", "{status_code}");
            assert_eq!(receiver.keys().await.len(), before + 1, "{status_code}");
            let failed = rows_that_failed_with(&world, &format!("status_{status_code}")).await;
            assert_eq!(failed, 1);
        }
        receiver.says(ResponseTemplate::new(204));
        world.advance(HOUR);
        world.deliver().await.unwrap();
        let received = receiver.received().await;
        assert_eq!(received.len(), 10);
        for request in received {
            assert_eq!((request.method.as_str(), request.url.path()), ("POST", "/thanks"));
            assert!(fields(&request).contains(&("feedback".into(), "words".into())));
        }
        let delivered = "SELECT count(*) FROM outbox WHERE delivered_at IS NOT NULL";
        assert_eq!(db_number(&world.database_url, delivered).await, 5);
    }

    async fn a_receiver_that_is_down_for_a_day_gets_everything_once(backend: Backend) {
        let receiver = Receiver::start().await;
        let (relay, mut world) = behind_a_relay(backend, &receiver).await;
        relay.refuse();
        let mut receipts = BTreeSet::new();
        for hour in 0..24 {
            if hour % 4 == 0 {
                let mcp = alice(&world).await;
                receipts.insert(submit(&mcp, &format!("words of hour {hour}")).await);
            }
            if hour == 10 {
                world.restart(&[]).await;
            }
            world.deliver().await.unwrap();
            world.advance(HOUR);
        }
        assert_eq!(receiver.keys().await.len(), 0);
        let mcp = alice(&world).await;
        for receipt in &receipts {
            assert_eq!(status(&mcp, receipt).await, "delivering");
        }
        relay.disarm().await;
        world.advance(HOUR);
        world.deliver().await.unwrap();
        let keys = receiver.keys().await;
        assert_eq!(keys.len(), receipts.len());
        assert_eq!(BTreeSet::from_iter(keys), receipts);
        let mcp = alice(&world).await;
        for receipt in &receipts {
            assert_eq!(status(&mcp, receipt).await, "delivered");
        }
    }

    async fn a_killed_process_loses_nothing_and_tells_nothing_twice_under_two_names(
        backend: Backend
    ) {
        for (moment, reached) in [(REACHED, 1), (NOT_REACHED, 0)] {
            let receiver = Receiver::start().await;
            let (relay, mut world) = behind_a_relay(backend, &receiver).await;
            let mcp = alice(&world).await;
            relay.arm(moment, Blow::Stall);
            let receipt = submit(&mcp, "words").await;
            // The row is claimed, and the request is on its way.
            relay.blown().await;
            receiver.until(reached).await;
            world.kill().await;
            relay.disarm().await;
            world.restart(&[]).await;
            world.deliver().await.unwrap();
            assert_eq!(receiver.keys().await.len(), reached, "nobody takes a claim over early");
            world.advance(MINUTE);
            world.deliver().await.unwrap();
            assert_eq!(receiver.keys().await, vec![receipt.clone(); reached + 1]);
            assert_eq!(feedback_rows(&world).await, 1);
            let mcp = alice(&world).await;
            assert_eq!(status(&mcp, &receipt).await, "delivered");
        }
    }

    async fn an_answer_that_is_lost_is_asked_for_again_under_the_same_name(backend: Backend) {
        let receiver = Receiver::start().await;
        let (relay, world) = behind_a_relay(backend, &receiver).await;
        let mcp = alice(&world).await;
        relay.arm(REACHED, Blow::Stall);
        let receipt = submit(&mcp, "words").await;
        receiver.until(1).await;
        relay.cut();
        world.deliver().await.unwrap();
        assert_eq!(status(&mcp, &receipt).await, "delivering");
        world.advance(10 * SECOND);
        world.deliver().await.unwrap();
        assert_eq!(receiver.keys().await, [&*receipt, &*receipt]);
        assert_eq!(status(&mcp, &receipt).await, "delivered");
        assert_eq!(feedback_rows(&world).await, 1);
    }

    async fn who_asks_to_be_left_alone_is(backend: Backend) {
        let receiver = Receiver::start().await;
        let world = World::with(backend, &[("feedback", &receiver.form())]).await;
        let mcp = alice(&world).await;
        receiver.says(ResponseTemplate::new(429).insert_header("retry-after", "120"));
        submit(&mcp, "words").await;
        world.deliver().await.unwrap();
        receiver.says(ResponseTemplate::new(200));
        world.advance(119 * SECOND);
        world.deliver().await.unwrap();
        assert_eq!(receiver.keys().await.len(), 1);
        world.advance(SECOND);
        world.deliver().await.unwrap();
        assert_eq!(receiver.keys().await.len(), 2);
    }

    async fn replicas_together_deliver_each_once(backend: Backend) {
        const MESSAGES: usize = 15;
        let receiver = Receiver::start().await;
        let (relay, world) = behind_a_relay(backend, &receiver).await;
        world.replica(&[]).await;
        world.replica(&[]).await;
        let mcp = alice(&world).await;
        let mut receipts = BTreeSet::new();
        relay.refuse();
        for _ in 0..MESSAGES {
            receipts.insert(submit(&mcp, "words").await);
        }
        world.deliver().await.unwrap();
        relay.disarm().await;
        world.advance(HOUR);
        world.deliver().await.unwrap();
        let keys = receiver.keys().await;
        assert_eq!(keys.len(), MESSAGES);
        assert_eq!(BTreeSet::from_iter(keys), receipts);
    }

    async fn a_silent_receiver_holds_neither_the_database_nor_anybody_up(backend: Backend) {
        let receiver = Receiver::start().await;
        let world = World::with(backend, &[("feedback", &receiver.form())]).await;
        let client = world.client("editor").await;
        let tokens = client.signed_in(&world, "alice").await;
        let mcp = world.mcp(&tokens.access_token);
        receiver.be_silent();
        let first = submit(&mcp, "words").await;
        receiver.until(1).await;
        // Neither a transaction nor a lock is open: rows can be changed, also by SQLite's one
        // writer, and people are served.
        db_execute(&world.database_url, "UPDATE outbox SET created_at = created_at").await;
        client.refresh(tokens.refresh_token()).await.expect(200);
        mcp.tool("search_docs", json!({"query": "install"})).await.expect(200);
        let second = submit(&mcp, "more words").await;
        if backend == Backend::Postgres {
            let open = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() \
                AND pid <> pg_backend_pid() AND state LIKE 'idle in transaction%'";
            assert_eq!(db_number(&world.database_url, open).await, 0);
        }
        receiver.speak();
        world.deliver().await.unwrap();
        assert_eq!(receiver.keys().await, [&*first, &*second]);
        assert_eq!(status(&mcp, &second).await, "delivered");
    }

    async fn feedback_is_stored_and_queued_together_or_not_at_all(backend: Backend) {
        let receiver = Receiver::start().await;
        let world = World::with(backend, &[("feedback", &receiver.form())]).await;
        let mcp = alice(&world).await;
        db_execute(&world.database_url, "ALTER TABLE outbox RENAME TO outbox_away").await;
        let arguments = json!({"feedback": "words", "category": "bug"});
        let answer = mcp.tool("submit_documentation_feedback", arguments).await.expect(200).json();
        assert_eq!(answer["error"]["code"], -32603, "{answer}");
        assert_eq!(feedback_rows(&world).await, 0);
        db_execute(&world.database_url, "ALTER TABLE outbox_away RENAME TO outbox").await;
        submit(&mcp, "words").await;
        world.deliver().await.unwrap();
        assert_eq!((feedback_rows(&world).await, receiver.keys().await.len()), (1, 1));
    }

    async fn a_delivery_that_could_not_be_written_down_is_not_repeated(backend: Backend) {
        let receiver = Receiver::start().await;
        let world = World::with(backend, &[("feedback", &receiver.form())]).await;
        let mcp = alice(&world).await;
        receiver.be_silent();
        let receipt = submit(&mcp, "words").await;
        receiver.until(1).await;
        db_execute(&world.database_url, "ALTER TABLE outbox RENAME TO outbox_away").await;
        receiver.speak();
        // Whoever tries meanwhile finds the database away.
        world.deliver().await.unwrap_err();
        world.advance(MINUTE);
        db_execute(&world.database_url, "ALTER TABLE outbox_away RENAME TO outbox").await;
        world.deliver().await.unwrap();
        assert_eq!(receiver.keys().await, [&*receipt]);
        assert_eq!(status(&mcp, &receipt).await, "delivered");
    }

    async fn a_stop_hears_the_receiver_out(backend: Backend) {
        let receiver = Receiver::start().await;
        let mut world = World::with(backend, &[("feedback", &receiver.form())]).await;
        let mcp = alice(&world).await;
        receiver.be_silent();
        let receipt = submit(&mcp, "words").await;
        receiver.until(1).await;
        let (http, url) = (world.http.clone(), world.at("/"));
        let speaks_when_it_stops = async {
            // It takes no more connections once it was told to stop.
            while http.get(&url).header("connection", "close").send().await.is_ok() {
                tokio::task::yield_now().await;
            }
            receiver.speak();
        };
        tokio::join!(world.restart(&[]), speaks_when_it_stops);
        world.advance(MINUTE);
        world.deliver().await.unwrap();
        assert_eq!(receiver.keys().await, [&*receipt]);
        assert_eq!(status(&alice(&world).await, &receipt).await, "delivered");
    }

    async fn a_stop_is_not_held_up_and_the_next_start_delivers(backend: Backend) {
        let receiver = Receiver::start().await;
        let (relay, mut world) = behind_a_relay(backend, &receiver).await;
        let mcp = alice(&world).await;
        relay.arm(REACHED, Blow::Stall);
        let receipt = submit(&mcp, "words").await;
        receiver.until(1).await;
        world.restart(&[]).await;
        relay.disarm().await;
        world.advance(MINUTE);
        world.deliver().await.unwrap();
        assert_eq!(receiver.keys().await, [&*receipt, &*receipt]);
        assert_eq!(feedback_rows(&world).await, 1);
    }

    async fn what_is_refused_for_a_week_is_kept_and_queued_by_the_operator(backend: Backend) {
        let receiver = Receiver::start().await;
        let world = World::with(backend, &[("feedback", &receiver.form())]).await;
        receiver.says(ResponseTemplate::new(404));
        let receipt = submit(&alice(&world).await, "words").await;
        for _ in 0..7 * 24 {
            world.deliver().await.unwrap();
            world.advance(HOUR);
        }
        assert_eq!(status(&alice(&world).await, &receipt).await, "delivering");
        world.deliver().await.unwrap();
        let tried = receiver.keys().await.len();
        assert_eq!(tried, 7 * 24 + 1);
        assert_eq!(status(&alice(&world).await, &receipt).await, "failed");
        world.advance(DAY);
        world.deliver().await.unwrap();
        assert_eq!(receiver.keys().await.len(), tried, "it is tried no more");

        let folder = tempfile::tempdir().unwrap();
        let settings = [("FEEDBACK", &*receiver.form())];
        let (code, said) = run(&world, folder.path(), "feedback list", &settings).await;
        assert_eq!(code, Some(0));
        let line = format!("{receipt} failed, {tried} attempts, last failure status_404, bug of ");
        assert!(said.starts_with(&line), "{said}");
        let (code, said) = run(&world, folder.path(), "feedback deliver", &settings).await;
        assert_eq!(code, Some(0), "{said}");
        assert!(said.contains("1 queued again"), "{said}");
        receiver.says(ResponseTemplate::new(200));
        world.deliver().await.unwrap();
        assert_eq!(receiver.keys().await, vec![receipt.clone(); tried + 1]);
        assert_eq!(status(&alice(&world).await, &receipt).await, "delivered");
        let (_, said) = run(&world, folder.path(), "feedback list", &settings).await;
        assert_eq!(said, "");
    }

    async fn what_was_only_stored_waits_for_the_operators_word(backend: Backend) {
        let receiver = Receiver::start().await;
        let mut world = World::start(backend).await;
        let receipt = submit(&alice(&world).await, "words").await;
        world.restart(&[("feedback", &receiver.form())]).await;
        world.deliver().await.unwrap();
        // Whoever sent it was told that it is only stored.
        assert_eq!(receiver.keys().await.len(), 0);
        assert_eq!(status(&alice(&world).await, &receipt).await, "stored");
        let folder = tempfile::tempdir().unwrap();
        let settings = [("FEEDBACK", &*receiver.form())];
        for queued in ["1 queued that", "0 queued that"] {
            let (code, said) = run(&world, folder.path(), "feedback deliver", &settings).await;
            assert_eq!(code, Some(0));
            assert!(said.contains(queued), "{said}");
        }
        world.deliver().await.unwrap();
        assert_eq!(receiver.keys().await, [&*receipt]);
        let sent = fields(&receiver.received().await[0]);
        for (name, value) in [("feedback", "words"), ("user-email", "alice@example.com")] {
            assert!(sent.contains(&(name.into(), value.into())), "{sent:?}");
        }
        assert_eq!(status(&alice(&world).await, &receipt).await, "delivered");
    }

    async fn what_waits_goes_with_its_person(backend: Backend) {
        let receiver = Receiver::start().await;
        let world = World::with(backend, &[("feedback", &receiver.form())]).await;
        receiver.says(ResponseTemplate::new(500));
        submit(&alice(&world).await, "words").await;
        world.deliver().await.unwrap();
        db_execute(&world.database_url, "DELETE FROM users").await;
        let rows = "SELECT count(*) FROM outbox";
        assert_eq!(db_number(&world.database_url, rows).await, 0);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_real_process_tries_again_by_itself_and_logs_nothing_of_it() {
    let receiver = Receiver::start().await;
    receiver.says_in_turn(
        [503, 200].map(|status| {
            ResponseTemplate::new(status).set_body_string("the receiver's own words")
        }),
    );
    let mut world = World::start(Backend::Sqlite).await;
    let folder = tempfile::tempdir().unwrap();
    let feedback = receiver.form();
    let settings = [("LOG", "trace"), ("FEEDBACK", &*feedback), ("LIMIT_MCP", "9999/1m")];
    let process = Process::start(&world, folder.path(), "loud", &settings).await;
    world.url.clone_from(&process.url);
    world.local.clone_from(&process.url);
    world.auth0.in_real_time();
    let mcp = alice(&world).await;
    let receipt = submit(&mcp, "my private words").await;
    receiver.until(2).await;
    assert_eq!(receiver.keys().await, [&*receipt, &*receipt]);
    let delivered = async {
        while status(&mcp, &receipt).await != "delivered" {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(30 * SECOND, delivered).await.expect("it is written down");
    let written = process.written();
    // The search itself works: what may be there is found.
    for word in [&*receipt, "\"postponed\"", "status_503"] {
        assert!(written.contains(word), "{word} is not in the log");
    }
    for word in [
        "my private words",
        "my+private+words",
        "alice@example.com",
        "alice%40example.com",
        "the receiver's own words",
        "/thanks",
    ] {
        assert!(!written.contains(word), "{word} is in the log");
    }
}
