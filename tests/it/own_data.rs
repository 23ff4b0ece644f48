//! What a person does on their own page about who is told of them, and about what is kept: sees,
//! objects, takes a copy, has it erased.

use gatehouse::store::{Store, disclosures};
use serde_json::{Value, json};
use wiremock::ResponseTemplate;

use crate::delivery::{alice, submit};
use crate::support::browser::{Form, forms};
use crate::support::database::db_number;
use crate::support::signed_in::{is_signed_in, signed_in};
use crate::support::sinks::{SECRETS, body, people, sink};
use crate::support::supplier::{Era, Refusal, Way, found};
use crate::support::{
    Backend, Browser, DAY, HOUR, MINUTE, Receiver, SECOND, Supplier, World, on_both,
};

const EVENTS: &str = "\"person.sign_in\", \"person.opted_out\"";
const FIELDS: &str = "\"id\", \"email\"";

async fn house(backend: Backend, file: &str) -> World {
    World::with_file(backend, &[], file, &SECRETS).await
}

fn asked(name: &str, receiver: &Receiver, more: &str) -> String {
    sink(name, &receiver.url(), EVENTS, FIELDS, more)
}

async fn page(world: &World, browser: &mut Browser) -> String {
    browser.get(&world.at("/account")).await.expect(200).body
}

/// The forms of this page that go there.
#[track_caller]
fn forms_to(page: &str, action: &str) -> Vec<Form> {
    forms(page).into_iter().filter(|form| form.action == action).collect()
}

async fn kinds(receiver: &Receiver) -> Vec<String> {
    let kind = |body: Value| body["type"].as_str().expect("a type").to_owned();
    receiver.received().await.iter().map(|it| kind(body(it))).collect()
}

on_both! {
    async fn a_person_sees_who_is_told_what_and_why(backend: Backend) {
        let receiver = Receiver::start().await;
        let file = asked("analytics", &receiver, "") + &asked("must", &receiver, "required = true");
        let world = house(backend, &file).await;
        // Before anything is told, on the consent page.
        let client = world.client("editor").await;
        let consent = world.browser().get(&client.authorize_url(&[])).await.expect(200).body;
        for text in ["<strong>analytics</strong> (127.0.0.1) is told an identifier made for it",
            "your e-mail address, when you sign in", "to see what helps", "You can object to it",
            "It is required to use this server"] {
            assert!(consent.contains(text), "{text:?} is missing in {consent}");
        }
        let mut browser = signed_in(&world, "alice").await;
        world.deliver().await.unwrap();
        let after = page(&world, &mut browser).await;
        for text in ["<h3>analytics</h3>", "<h3>must</h3>", "to see what helps", "127.0.0.1",
            "15 January 2027, 08:00 UTC: your e-mail address and an identifier made for it alone",
            "you cannot object to it"] {
            assert!(after.contains(text), "{text:?} is missing in {after}");
        }
        assert!(!after.contains("from=mcp"), "an address may hold a key: {after}");
        assert_eq!(forms_to(&after, "/account/sharing").len(), 1);
        let signed_out = page(&world, &mut world.browser()).await;
        assert!(signed_out.contains("<strong>analytics</strong>") && !signed_out.contains("<h3>"));
    }

    async fn who_objects_is_told_of_no_more_and_what_waits_is_dropped(backend: Backend) {
        let receiver = Receiver::start().await;
        let world = house(backend, &asked("analytics", &receiver, "")).await;
        let mut browser = signed_in(&world, "alice").await;
        world.deliver().await.unwrap();
        receiver.says(ResponseTemplate::new(503));
        signed_in(&world, "alice").await;
        signed_in(&world, "bob").await;
        world.deliver().await.unwrap();
        let shown = page(&world, &mut browser).await;
        let form = forms_to(&shown, "/account/sharing").remove(0);
        let done = browser.submit(&world.local, &form, &[]).await.location();
        assert_eq!(done, "/account?sharing=objected");
        let shown = browser.get(&world.at(&done)).await.expect(200).body;
        for text in ["It is told nothing more of you.", "You objected on 15 January 2027"] {
            assert!(shown.contains(text), "{text:?} is missing in {shown}");
        }
        // Again is no harm, and says no second farewell.
        browser.submit(&world.local, &form, &[]).await.expect(303);
        receiver.says(ResponseTemplate::new(200));
        signed_in(&world, "alice").await;
        let before = receiver.received().await.len();
        world.advance(HOUR);
        world.deliver().await.unwrap();
        let received = receiver.received().await;
        let told: Vec<_> = received[before..].iter().map(body).collect();
        let of = |kind: &str| told.iter().filter(|it| it["type"] == kind).collect::<Vec<_>>();
        assert_eq!((told.len(), of("person.sign_in").len()), (2, 1), "{told:?}");
        assert_eq!(of("person.sign_in")[0]["data"]["email"], "bob@example.com");
        let farewell = &of("person.opted_out")[0]["data"];
        assert_eq!(farewell["email"], json!(["alice@example.com"]));
        // Allowed again, she is told of again.
        let form = forms_to(&shown, "/account/sharing").remove(0);
        let done = browser.submit(&world.local, &form, &[]).await.location();
        assert_eq!(done, "/account?sharing=allowed");
        signed_in(&world, "alice").await;
        world.deliver().await.unwrap();
        assert_eq!(kinds(&receiver).await.last().unwrap(), "person.sign_in");
        let last = body(receiver.received().await.last().unwrap());
        assert_eq!(last["data"]["email"], "alice@example.com");
    }

    async fn what_was_queued_in_the_moment_of_the_objection_is_not_delivered(backend: Backend) {
        let receiver = Receiver::start().await;
        let world = house(backend, &asked("analytics", &receiver, "")).await;
        receiver.says(ResponseTemplate::new(503));
        signed_in(&world, "alice").await;
        world.deliver().await.unwrap();
        let before = receiver.received().await.len();
        // As if the sign-in had read that nobody objects, a moment before somebody did.
        crate::support::database::db_execute(&world.database_url,
            "INSERT INTO sink_opt_outs SELECT id, 'sink:analytics', 1 FROM users").await;
        world.advance(HOUR);
        world.deliver().await.unwrap();
        assert_eq!(receiver.received().await.len(), before);
        assert_eq!(db_number(&world.database_url, "SELECT count(*) FROM outbox").await, 0);
    }

    async fn a_form_from_elsewhere_changes_nothing(backend: Backend) {
        let receiver = Receiver::start().await;
        let file = asked("analytics", &receiver, "") + &asked("must", &receiver, "required = true");
        let world = house(backend, &file).await;
        let mut browser = signed_in(&world, "alice").await;
        let shown = page(&world, &mut browser).await;
        let mut bob = signed_in(&world, "bob").await;
        for (action, more) in [
            ("/account/sharing", &[][..]), ("/account/export", &[]),
            ("/account/erase", &[("confirm", "erase")]),
        ] {
            let form = forms_to(&shown, action).remove(0);
            for token in ["", "x"] {
                let changes = [more, &[("form", token)]].concat();
                browser.submit(&world.local, &form, &changes).await.expect(403);
            }
            bob.submit(&world.local, &form, more).await.expect(403);
            world.browser().submit(&world.local, &form, more).await.expect(403);
            let shown: Vec<_> = form.fields.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
            let fields = [&shown[..], more].concat();
            let url = world.at(action);
            for (header, value) in
                [("origin", "https://evil.example"), ("sec-fetch-site", "cross-site")]
            {
                let request = world.http.post(&url).form(&fields).header(header, value);
                browser.send(request).await.expect(403);
            }
            browser.send(world.http.post(&url).body("{}")).await.expect(403);
            browser.get(&url).await.expect(405);
        }
        let form = forms_to(&shown, "/account/sharing").remove(0);
        for (changes, status) in [
            ([("sink", "nobody")], 400), ([("wish", "everything")], 400), ([("sink", "must")], 403),
        ] {
            browser.submit(&world.local, &form, &changes).await.expect(status);
        }
        let objections = "SELECT count(*) FROM sink_opt_outs";
        assert_eq!(db_number(&world.database_url, objections).await, 0);
        assert_eq!(people(&world).await.len(), 2);
    }

    async fn a_person_takes_a_copy_of_everything_and_of_nobody_else(backend: Backend) {
        let receiver = Receiver::start().await;
        let world = house(backend, &asked("analytics", &receiver, "")).await;
        submit(&alice(&world).await, "my private words").await;
        signed_in(&world, "bob").await;
        world.deliver().await.unwrap();
        let mut browser = signed_in(&world, "alice").await;
        let shown = page(&world, &mut browser).await;
        let form = forms_to(&shown, "/account/export").remove(0);
        let file = browser.submit(&world.local, &form, &[]).await.expect(200);
        assert_eq!(file.header("content-type"), Some("application/json"));
        let disposition = "attachment; filename=\"my-data.json\"";
        assert_eq!(file.header("content-disposition"), Some(disposition));
        assert_eq!(file.header("cache-control"), Some("no-store"));
        let data = file.json();
        assert_eq!(data["person"][0]["profile"]["email"], "alice@example.com");
        assert_eq!(data["feedback"][0]["text"], "my private words");
        let told = data["disclosures"][0]["fields"].as_str();
        assert_eq!((told, file.body.contains("bob")), (Some("email id"), false));
    }

    async fn a_person_erases_themselves_after_saying_so_and_signing_in(backend: Backend) {
        let receiver = Receiver::start().await;
        let world = house(backend, &asked("analytics", &receiver, "")).await;
        let client = world.client("editor").await;
        let tokens = client.signed_in(&world, "alice").await;
        world.deliver().await.unwrap();
        let mut browser = signed_in(&world, "alice").await;
        let shown = page(&world, &mut browser).await;
        let form = forms_to(&shown, "/account/erase").remove(0);
        for typed in ["", "yes", "erase me"] {
            let refused = browser.submit(&world.local, &form, &[("confirm", typed)]).await;
            assert!(refused.expect(400).body.contains("Nothing was erased"));
        }
        let confirmed = [("confirm", " Erase ")];
        world.advance(15 * MINUTE);
        let refused = browser.submit(&world.local, &form, &confirmed).await.expect(403).body;
        assert!(refused.contains("Sign in again first"), "{refused}");
        world.mcp(&tokens.access_token).ping().await.expect(200);
        let mut browser = signed_in(&world, "alice").await;
        let form = forms_to(&page(&world, &mut browser).await, "/account/erase").remove(0);
        world.advance(15 * MINUTE - SECOND);
        let erased = browser.submit(&world.local, &form, &confirmed).await.expect(200).body;
        assert!(erased.contains("You are erased"), "{erased}");
        // Here at once, whatever was remembered of the token.
        world.mcp(&tokens.access_token).ping().await.expect(401);
        client.refresh(tokens.refresh_token()).await.expect_error(400, "invalid_grant");
        assert!(!is_signed_in(&world, &mut browser).await);
        let names = browser.cookie_names();
        assert!(names.iter().all(|name| name.contains("login")), "{names:?}");
        assert_eq!(people(&world).await.len(), 0);
        // What is under way ends in its own time, not in the one that is let go by.
        world.deliver().await.unwrap();
        world.advance(MINUTE);
        world.deliver().await.unwrap();
        let kinds = kinds(&receiver).await;
        assert_eq!(kinds.last().unwrap(), "person.erased", "{kinds:?}");
    }

    async fn another_server_that_is_told_who_asks_is_in_the_ledger_once_a_day(backend: Backend) {
        let answer = || Way::Result(found(&[("T", "https://s.example/t", "text")]));
        let supplier = Supplier::start(Era::Stateless, answer()).await;
        let shy = Supplier::start(Era::Stateless, Way::RefusesPerson(Refusal::InvalidParams)).await;
        let file = crate::remotes::asked(&supplier, "user = \"domain\"");
        let silent = crate::remotes::asked(&shy, "").replace("\"kapa\"", "\"shy\"")
            .replace("as = \"ask\"", "as = \"ask_shy\"\ntitle = \"T\"\ndescription = \"D\"\n\
                inputs.question = { description = \"Q\", required = true }");
        let environment = [SECRETS[0], ("KAPA_TOKEN", "kapa-secret-7")];
        let file = file + &silent;
        let world = World::with_file(backend, &[], &file, &environment).await;
        let mut mcp = alice(&world).await;
        let told = async || {
            world.deliver().await.unwrap();
            let store = Store::connect(&world.database_url).await.unwrap();
            let user_id = people(&world).await[0];
            let told = disclosures::of_person(store.read(), user_id).await.unwrap();
            store.close().await;
            told.into_iter().map(|it| (it.receiver, it.fields.join(" "))).collect::<Vec<_>>()
        };
        let question = json!({"question": "how?"});
        for (days, count) in [(0, 1), (0, 1), (1, 2)] {
            world.advance(days * DAY);
            if days > 0 {
                mcp = alice(&world).await;
            }
            mcp.tool("ask_example_question", question.clone()).await.expect(200);
            mcp.tool("ask_shy", question.clone()).await.expect(200);
            let entry = ("remote:kapa".to_owned(), "email domain".to_owned());
            assert_eq!(told().await, vec![entry; count]);
        }
        let shown = page(&world, &mut signed_in(&world, "alice").await).await;
        assert!(shown.contains("<h3>kapa</h3>"), "{shown}");
    }
}
