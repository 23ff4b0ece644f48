//! What an operator does about people: finding them, and changing the secret that seals them.

use std::path::Path;

use serde_json::{Value, json};

use crate::support::database::{db_execute, db_number};
use crate::support::process::run;
use crate::support::signed_in::signed_in;
use crate::support::world::SERVER_SECRET;
use crate::support::{Backend, HOUR, MINUTE, Person, Tokens, World, on_both};

const NEW_SECRET: &str = "Hx4dHBsaGRgXFhUUExIREA8ODQwLCgkIBwYFBAMCAQA=";

async fn sign_in(world: &World, name: &str, email: &str) -> Tokens {
    let client = world.client("editor").await;
    let person = Person::named(name).with("email", json!(email)).with("org_id", Value::Null);
    let person = person.with("org_name", Value::Null);
    let end = client.walk(world, &mut world.browser(), &person, &[]).await;
    let code = crate::support::answer::query(&end, "code").unwrap();
    Tokens::of(&client.exchange(&code).await)
}

async fn users(world: &World, folder: &Path, words: &str, settings: &[(&str, &str)]) -> Value {
    let command = format!("users {words} --json");
    let (code, said) = run(world, folder, &command, settings).await;
    assert_eq!(code, Some(0), "{said}");
    serde_json::from_str(&said).unwrap()
}

fn domains(answer: &Value) -> Vec<&str> {
    let users = answer["users"].as_array().unwrap();
    users.iter().map(|user| user["email_domain"].as_str().unwrap()).collect()
}

on_both! {
    async fn people_are_found_by_address_and_organization_and_named_only_on_demand(
        backend: Backend
    ) {
        let world = World::start(backend).await;
        let folder = tempfile::tempdir().unwrap();
        for (name, email) in [("ann", "Ann.A@one.example.org"), ("ben", "ben@two.example.org"),
            ("cleo", "cleo@example.net"), ("dora", "dora@gmail.com")] {
            sign_in(&world, name, email).await;
            world.advance(MINUTE);
        }
        let list = async |words: &str| users(&world, folder.path(), words, &[]).await;
        let all = list("list").await;
        assert_eq!(domains(&all),
            ["one.example.org", "two.example.org", "example.net", "gmail.com"]);
        assert_eq!(all["next"], Value::Null);
        assert_eq!(all["users"][0]["organization"]["key"], "domain:example.org");
        assert_eq!(all["users"][0]["organization"]["source"], "email_domain");
        assert_eq!(all["users"][0]["organization"]["confidence"], "high");
        assert_eq!(all["users"][3]["no_organization"], "free_mail");
        assert!(!all.to_string().contains("ann") && !all.to_string().contains('@'), "{all}");
        // In any spelling of the address, and not by a part of it.
        assert_eq!(domains(&list("list --email ANN.a@One.Example.ORG.").await),
            ["one.example.org"]);
        for nobody in ["ann@one.example.org", "nonsense", "ann.a@example.org"] {
            assert_eq!(list(&format!("list --email {nobody}")).await["users"], json!([]));
        }
        for called in ["example.org", "Example.Org", "domain:example.org",
            all["users"][0]["organization"]["id"].as_str().unwrap()] {
            let found = list(&format!("list --organization {called}")).await;
            assert_eq!(domains(&found), ["one.example.org", "two.example.org"], "{called}");
        }
        assert_eq!(list("list --organization nowhere.example").await["users"], json!([]));
        // Page by page.
        let first = list("list --limit 3").await;
        assert_eq!(domains(&first).len(), 3);
        let rest = format!("list --limit 3 --after {}", first["next"].as_str().unwrap());
        assert_eq!(domains(&list(&rest).await), ["gmail.com"]);
        // For people.
        let (_, said) = run(&world, folder.path(), "users list", &[]).await;
        assert!(said.contains("example.org (email_domain, high confidence)"), "{said}");
        assert!(said.contains("no organization (free_mail)"), "{said}");
        assert!(!said.contains('@') && !said.contains("auth0|"), "{said}");
        let (_, said) = run(&world, folder.path(), "users list --show-email", &[]).await;
        assert!(said.contains("Ann.A@one.example.org"), "{said}");
    }

    async fn one_person_is_shown_with_where_they_belonged(backend: Backend) {
        let world = World::start(backend).await;
        let folder = tempfile::tempdir().unwrap();
        let tokens = sign_in(&world, "ann", "ann@example.org").await;
        world.advance(HOUR);
        sign_in(&world, "ann", "ann@example.net").await;
        let id = tokens.claims()["sub"].as_str().unwrap().to_owned();
        let shown = users(&world, folder.path(), &format!("show {id}"), &[]).await;
        assert_eq!(shown["memberships"][0]["organization"]["domain"], "example.net");
        assert_eq!(shown["memberships"][0]["ended_at"], Value::Null);
        assert_eq!(shown["memberships"][1]["organization"]["domain"], "example.org");
        assert!(shown.get("upstream_subject").is_none() && !shown.to_string().contains('@'));
        let (code, said) = run(&world, folder.path(), &format!("users show {id}"), &[]).await;
        assert_eq!(code, Some(0), "{said}");
        assert!(said.contains("member of      example.org"), "{said}");
        assert!(!said.contains('@') && !said.contains("auth0|"), "{said}");
        let named = format!("show {id} --show-email");
        let named = users(&world, folder.path(), &named, &[]).await;
        assert_eq!((named["email"].as_str(), named["upstream_subject"].as_str()),
            (Some("ann@example.net"), Some("auth0|ann")));
        for words in ["users show nobody", "users show"] {
            let (code, _) = run(&world, folder.path(), words, &[]).await;
            assert_eq!(code, Some(1), "{words}");
        }
    }

    async fn after_a_pass_the_previous_secret_can_be_dropped(backend: Backend) {
        // A receiver that is not there: what is queued for it waits.
        let feedback = ("feedback", "kind=form,url=http://127.0.0.1:9/form");
        let mut world = World::with(backend, &[feedback]).await;
        let folder = tempfile::tempdir().unwrap();
        let tokens = sign_in(&world, "ann", "ann@example.org").await;
        sign_in(&world, "ben", "ben@gmail.com").await;
        let mcp = world.mcp(&tokens.access_token);
        let words = json!({"feedback": "my private words", "category": "bug"});
        mcp.tool("submit_documentation_feedback", words).await.expect(200);
        assert_eq!(db_number(&world.database_url, "SELECT count(*) FROM outbox").await, 1);

        let rotating = [("SECRET", NEW_SECRET), ("SECRET_PREVIOUS", SERVER_SECRET)];
        let by_address = "list --email ann@example.org";
        let found = users(&world, folder.path(), by_address, &rotating).await;
        assert_eq!(domains(&found), ["example.org"]);
        let gc = async |settings: &[(&str, &str)]| {
            let (code, said) = run(&world, folder.path(), "gc", settings).await;
            assert_eq!(code, Some(0), "{said}");
            said
        };
        let said = gc(&rotating).await;
        assert!(said.contains("       5 values sealed anew"), "{said}");
        assert!(said.contains("       0 values not sealed under the current secret"), "{said}");
        assert!(gc(&rotating).await.contains("       0 values sealed anew"));
        // The old secret alone opens nothing any more; the new one alone, everything.
        let said = gc(&[]).await;
        assert!(said.contains("       5 values not sealed under the current secret"), "{said}");
        assert!(said.contains("       2   in users"), "{said}");
        let current = [("SECRET", NEW_SECRET)];
        let found = users(&world, folder.path(), by_address, &current).await;
        assert_eq!(domains(&found), ["example.org"]);
        world.restart(&[("secret", NEW_SECRET)]).await;
        // Signing keys too: what was issued before is still believed.
        let scoped = world.mcp(&tokens.access_token);
        scoped.tool("whoami", json!({})).await.expect(200);
        signed_in(&world, "carol").await;
    }

    async fn a_pass_does_what_is_due_for_rows_from_before(backend: Backend) {
        let world = World::start(backend).await;
        let folder = tempfile::tempdir().unwrap();
        sign_in(&world, "ann", "ann@example.org").await;
        db_execute(&world.database_url, "UPDATE users SET email_hash = NULL").await;
        // As a seal was before it told its secret: another version, and no tag.
        let untagged = match backend {
            Backend::Sqlite => "cast(x'01' || substr(profile_sealed, 6) AS BLOB)",
            Backend::Postgres => "decode('01', 'hex') || substr(profile_sealed, 6)",
        };
        let older = format!("UPDATE users SET profile_sealed = {untagged}");
        db_execute(&world.database_url, &older).await;
        let (_, said) = run(&world, folder.path(), "gc", &[]).await;
        assert!(said.contains("       1 values sealed anew"), "{said}");
        let named = "list --email ann@example.org --show-email";
        let found = users(&world, folder.path(), named, &[]).await;
        assert_eq!(found["users"][0]["email"], "ann@example.org");
    }
}
