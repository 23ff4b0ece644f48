//! What is kept of feedback, who may ask about it, how a webhook knows that it is ours, and what an
//! operator is told.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use wiremock::ResponseTemplate;

use crate::delivery::{alice, status, submit};
use crate::secrets::found;
use crate::support::database::{db_dump, db_number};
use crate::support::process::run;
use crate::support::receiver::header;
use crate::support::{Backend, McpClient, Receiver, World, free_port, on_both};

const SUBMIT: &str = "submit_documentation_feedback";
const SECRETS: [&str; 2] =
    ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="];

async fn answer(mcp: &McpClient, tool: &str, arguments: Value) -> Value {
    mcp.tool(tool, arguments).await.expect(200).json()["result"].clone()
}

fn webhook(receiver: &Receiver) -> [(&'static str, String); 2] {
    let feedback = format!("kind=webhook,url={}", receiver.url());
    [("feedback", feedback), ("feedback_secret", SECRETS.join(" "))]
}

/// As Standard Webhooks has it, without any code of ours.
fn signature(secret: &str, message: &[u8]) -> String {
    let key = STANDARD.decode(secret.trim_start_matches("whsec_")).unwrap();
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(&key).unwrap();
    mac.update(message);
    format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
}

on_both! {
    async fn only_who_sent_a_feedback_may_ask_about_it(backend: Backend) {
        let world = World::start(backend).await;
        let client = world.client("editor").await;
        let mcp = alice(&world).await;
        let receipt = submit(&mcp, "words").await;
        assert_eq!(status(&mcp, &receipt).await, "stored");
        // On another device, too.
        assert_eq!(status(&alice(&world).await, &receipt).await, "stored");
        let tokens = client.signed_in(&world, "bob").await;
        let bob = world.mcp(&tokens.access_token);
        let never_given = uuid::Uuid::from_u128(7).to_string();
        let mut refusals = Vec::new();
        for (mcp, receipt) in [(&bob, &*receipt), (&bob, &never_given), (&mcp, "no receipt")] {
            let refused = answer(mcp, "feedback_status", json!({"receipt": receipt})).await;
            assert_eq!(refused["isError"], true, "{refused}");
            refusals.push(refused["content"].clone());
        }
        // Nobody learns that a receipt is somebody else's.
        refusals.dedup();
        assert_eq!(refusals.len(), 1, "{refusals:?}");
    }

    async fn a_page_elsewhere_is_flagged_and_never_refused(backend: Backend) {
        let receiver = Receiver::start().await;
        let docs_url = ("docs_url", "https://docs.example.com/current".to_owned());
        let settings = [vec![docs_url], webhook(&receiver).to_vec()].concat();
        let settings: Vec<_> = settings.iter().map(|(k, v)| (*k, v.as_str())).collect();
        let world = World::with(backend, &settings).await;
        let mcp = alice(&world).await;
        for (count, (page_url, is_foreign)) in (1_i64..).zip([
            (Some("https://docs.example.com/current/install"), json!(false)),
            (Some("https://elsewhere.example.com/install"), json!(true)),
            (None, Value::Null),
        ]) {
            let arguments = json!({"feedback": "words", "category": "bug", "page_url": page_url});
            let result = answer(&mcp, SUBMIT, arguments).await;
            assert_eq!(result["isError"], false, "{result}");
            let notes = result["structuredContent"]["notes"].as_array().map_or(0, Vec::len);
            assert_eq!(notes == 1, is_foreign == true, "{result}");
            world.deliver().await.unwrap();
            let received = receiver.received().await;
            let body: Value = serde_json::from_slice(&received.last().unwrap().body).unwrap();
            assert_eq!(body["data"]["page_is_foreign"], is_foreign, "{body}");
            assert_eq!(body["data"]["page_url"], json!(page_url), "{body}");
            let rows = "SELECT count(*) FROM feedback";
            assert_eq!(db_number(&world.database_url, rows).await, count);
        }
        let flagged = "SELECT count(*) FROM feedback WHERE page_is_foreign";
        assert_eq!(db_number(&world.database_url, flagged).await, 1);
    }

    async fn twenty_thousand_characters_arrive_and_one_more_is_refused(backend: Backend) {
        let receiver = Receiver::start().await;
        let settings = webhook(&receiver);
        let settings: Vec<_> = settings.iter().map(|(k, v)| (*k, v.as_str())).collect();
        let world = World::with(backend, &settings).await;
        let mcp = alice(&world).await;
        // The longest that there is in bytes, and in a form.
        let words = "𐍈".repeat(20_000);
        submit(&mcp, &words).await;
        world.deliver().await.unwrap();
        let body: Value = serde_json::from_slice(&receiver.received().await[0].body).unwrap();
        assert_eq!(body["data"]["feedback"], words);
        let arguments = json!({"feedback": format!("{words}𐍈"), "category": "bug"});
        let refused = answer(&mcp, SUBMIT, arguments).await;
        assert_eq!(refused["isError"], true);
    }

    async fn what_is_secret_in_a_feedback_is_neither_kept_nor_handed_on(backend: Backend) {
        let receiver = Receiver::start().await;
        let world = World::with(backend, &[("feedback", &receiver.form())]).await;
        let client = world.client("editor").await;
        let tokens = client.signed_in(&world, "alice").await;
        let mcp = world.mcp(&tokens.access_token);
        let arguments = json!({
            "feedback": format!(
                "I get 401 with `Authorization: Bearer {}`, and {} does not refresh.",
                tokens.access_token, tokens.refresh_token(),
            ),
            "category": "bug",
            "page_url": format!("https://docs.example.com/x?token={}", tokens.refresh_token()),
        });
        let result = answer(&mcp, SUBMIT, arguments).await;
        let notes = &result["structuredContent"]["notes"];
        assert!(notes[0].as_str().unwrap().contains("was removed"), "{result}");
        world.deliver().await.unwrap();
        let sent = crate::support::receiver::fields(&receiver.received().await[0]);
        let text = &sent.iter().find(|(name, _)| name == "feedback").unwrap().1;
        assert_eq!(
            text,
            "I get 401 with `Authorization: Bearer [removed: token]`, and [removed: token] does \
             not refresh."
        );
        assert!(sent.contains(&("page-path".into(), "https://docs.example.com/x".into())));
        // The page's address stands in clear.
        let dump = db_dump(&world.database_url).await;
        assert!(found(&dump, "https://docs.example.com/x"));
        assert!(!found(&dump, tokens.refresh_token()));
    }

    async fn a_webhook_can_tell_that_it_is_ours(backend: Backend) {
        let receiver = Receiver::start().await;
        let settings = webhook(&receiver);
        let settings: Vec<_> = settings.iter().map(|(k, v)| (*k, v.as_str())).collect();
        let world = World::with(backend, &settings).await;
        let mcp = alice(&world).await;
        receiver.says(ResponseTemplate::new(500));
        let receipt = submit(&mcp, "words").await;
        world.deliver().await.unwrap();
        receiver.says(ResponseTemplate::new(200));
        world.advance(crate::support::MINUTE);
        world.deliver().await.unwrap();
        let received = receiver.received().await;
        assert_eq!(received.len(), 2);
        // The same message, signed anew.
        assert_eq!(received[0].body, received[1].body);
        for (request, seconds) in received.iter().zip([0, 60]) {
            let timestamp = header(request, "webhook-timestamp");
            let began = crate::support::world_seconds();
            assert_eq!(timestamp, (began + seconds).to_string());
            assert_eq!(header(request, "webhook-id"), receipt);
            assert_eq!(header(request, "idempotency-key"), receipt);
            assert_eq!(header(request, "content-type"), "application/json");
            let message = [format!("{receipt}.{timestamp}.").as_bytes(), &request.body].concat();
            let signatures = SECRETS.map(|secret| signature(secret, &message)).join(" ");
            assert_eq!(header(request, "webhook-signature"), signatures);
        }
        let body: Value = serde_json::from_slice(&received[0].body).unwrap();
        assert_eq!(body, json!({
            "type": "feedback.submitted",
            "idempotency_key": receipt,
            "data": {
                "receipt": receipt,
                "feedback": "words",
                "category": "bug",
                "page_url": "https://docs.example.com/install?x=1#linux",
                "page_path": "https://docs.example.com/install?x=1#linux",
                "user_email": "alice@example.com",
                "user_domain": "example.com",
                "submitted_at": crate::support::world_seconds() * 1000,
            },
        }));
    }

    async fn what_the_settings_leave_out_is_not_even_queued(backend: Backend) {
        let receiver = Receiver::start().await;
        let [(name, feedback), secret] = webhook(&receiver);
        let feedback = format!("{feedback},omit=user-email,omit=user-domain");
        let settings = [(name, &*feedback), (secret.0, &*secret.1)];
        let mut world = World::with(backend, &settings).await;
        receiver.says(ResponseTemplate::new(500));
        submit(&alice(&world).await, "words").await;
        world.deliver().await.unwrap();
        // Settings that tell more, later, tell no more of what is queued.
        receiver.says(ResponseTemplate::new(200));
        world.restart(&[("feedback", &format!("kind=webhook,url={}", receiver.url()))]).await;
        world.advance(crate::support::MINUTE);
        world.deliver().await.unwrap();
        let received = receiver.received().await;
        assert_eq!(received.len(), 2);
        for request in received {
            let body: Value = serde_json::from_slice(&request.body).unwrap();
            assert_eq!(body["data"]["feedback"], "words");
            assert_eq!((&body["data"]["user_email"], &body["data"]["user_domain"]),
                (&Value::Null, &Value::Null));
        }
    }

    async fn the_consent_page_tells_where_feedback_goes(backend: Backend) {
        let receiver = Receiver::start().await;
        let mut world = World::start(backend).await;
        let client = world.client("editor").await;
        let page = world.browser().get(&client.authorize_url(&[])).await.expect(200).body;
        assert!(page.contains("The feedback you send,") && !page.contains("passed on"), "{page}");
        world.restart(&[("feedback", &receiver.form())]).await;
        let page = world.browser().get(&client.authorize_url(&[])).await.expect(200).body;
        assert!(page.contains("passed on to 127.0.0.1 with your e-mail address"), "{page}");
    }

    async fn check_looks_whether_anybody_is_there_and_leaves_nothing_behind(backend: Backend) {
        let receiver = Receiver::start().await;
        let world = World::start(backend).await;
        let folder = tempfile::tempdir().unwrap();
        let nobody = format!("kind=form,url=http://127.0.0.1:{}/", free_port());
        let form = receiver.form();
        for (status, feedback, code, words) in [
            (200, &form, 0, "ok    feedback: 127.0.0.1 answers"),
            (405, &form, 0, "ok    feedback: 127.0.0.1 answers"),
            (301, &form, 1, "FAIL  feedback: 127.0.0.1 redirects (301)"),
            (200, &nobody, 1, "FAIL  feedback: 127.0.0.1 does not answer (no_connection)"),
        ] {
            receiver.says(ResponseTemplate::new(status));
            let settings = [("FEEDBACK", &**feedback)];
            let (exit, said) = run(&world, folder.path(), "check", &settings).await;
            assert!(said.contains(words), "{words}: {said}");
            assert_eq!(exit, Some(code), "{said}");
        }
        for request in receiver.received().await {
            assert_eq!(request.method.as_str(), "HEAD");
        }
    }

    async fn the_hidden_form_names_what_is_sent(backend: Backend) {
        let receiver = Receiver::start().await;
        let world = World::start(backend).await;
        let folder = tempfile::tempdir().unwrap();
        let feedback = format!("{},constants.source=mcp", receiver.form());
        let settings = [("FEEDBACK", &*feedback)];
        let (code, said) = run(&world, folder.path(), "feedback form", &settings).await;
        assert_eq!(code, Some(0));
        let head = "<form name=\"api-feedback\" method=\"post\" netlify \
             netlify-honeypot=\"bot-field\" hidden>\n";
        assert!(said.starts_with(head), "{said}");
        for name in ["form-name", "feedback", "category", "page-path", "user-email",
            "user-domain", "bot-field", "source"] {
            assert!(said.contains(&format!(" name=\"{name}\"")), "{name}: {said}");
        }
        for action in ["form", "deliver"] {
            let command = format!("feedback {action}");
            let (code, said) = run(&world, folder.path(), &command, &[]).await;
            assert_eq!((code, &*said), (Some(1), ""));
        }
    }
}
