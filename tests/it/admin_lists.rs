//! Lists while others write, and the same on the command line.

use std::collections::BTreeSet;

use gatehouse::calendar::rfc3339;
use gatehouse::clock::Clock as _;
use serde_json::{Value, json};

use crate::support::admin::Operator;
use crate::support::answer::query;
use crate::support::database::db_number;
use crate::support::process::{run, run_with_errors};
use crate::support::{Backend, MINUTE, Person, Tokens, World, on_both};

const ROWS: usize = 23;

on_both! {
    async fn what_is_added_meanwhile_neither_moves_nor_repeats_a_row(backend: Backend) {
        let world = World::with(backend, &[("limit_register", "100/1h")]).await;
        let operator = Operator::with(&world, "o", "read").await;
        for number in 0..ROWS {
            world.client(&format!("before {number}")).await;
        }
        world.advance(MINUTE);
        let before: BTreeSet<String> = operator
            .all("/clients", 500)
            .await
            .iter()
            .map(|row| row["id"].as_str().unwrap().to_owned())
            .collect();
        assert_eq!(before.len(), ROWS);
        // Others register all the while.
        let adding = async {
            for number in 0..ROWS {
                world.client(&format!("meanwhile {number}")).await;
            }
        };
        let (listed, ()) = tokio::join!(operator.all("/clients", 3), adding);
        let ids: Vec<&str> = listed.iter().map(|row| row["id"].as_str().unwrap()).collect();
        let unique: BTreeSet<String> = ids.iter().map(|&id| id.to_owned()).collect();
        assert_eq!(unique.len(), ids.len(), "a row came twice");
        assert!(unique.is_superset(&before), "a row was passed over");
        assert!(ids.is_sorted_by(|one, next| one > next), "the newest come first");
        assert_eq!(operator.all("/clients", 7).await.len(), 2 * ROWS);
    }

    async fn each_row_of_a_list_is_whole_by_itself(backend: Backend) {
        let world = World::start(backend).await;
        let operator = Operator::with(&world, "o", "read").await;
        let client = world.client("editor").await;
        for number in 0..5 {
            client.signed_in(&world, &format!("person-{number}")).await;
        }
        for row in operator.all("/grants", 2).await {
            assert_eq!(row["client_name"], "editor");
        }
        for row in operator.all("/people", 2).await {
            assert_eq!(row["organization_name"], "example-inc");
        }
    }

    async fn commands_list_and_revoke_what_the_api_does(backend: Backend) {
        let world = World::start(backend).await;
        let client = world.client("editor").await;
        let alice = client.signed_in(&world, "alice").await;
        world.advance(MINUTE);
        client.signed_in(&world, "alice").await;
        client.signed_in(&world, "bob").await;
        let folder = tempfile::tempdir().unwrap();
        let command = async |words: &str| {
            let (code, said) = run(&world, folder.path(), words, &[]).await;
            (code, serde_json::from_str::<Value>(&said).unwrap_or(Value::String(said)))
        };
        let (_, clients) = command("clients list --json").await;
        assert_eq!(clients["clients"][0]["name"], "editor", "{clients}");
        assert_eq!(clients["clients"][0]["grants"], 3);
        let (_, page) = command("grants list --json --limit 2").await;
        assert_eq!(page["grants"].as_array().unwrap().len(), 2, "{page}");
        let next = page["next"].as_str().unwrap();
        let (_, rest) = command(&format!("grants list --json --after {next}")).await;
        assert_eq!(rest["grants"][0]["id"], alice.claims()["gid"]);
        assert_eq!(rest["next"], Value::Null);
        let gid = alice.claims()["gid"].as_str().unwrap().to_owned();
        let (code, ended) = command(&format!("grants revoke {gid} --json")).await;
        assert_eq!((code, &ended["revoked"][0]), (Some(0), &alice.claims()["gid"]));
        let sub = alice.claims()["sub"].as_str().unwrap().to_owned();
        let (_, ended) = command(&format!("grants revoke --person {sub} --json")).await;
        assert_eq!(ended["revoked"].as_array().unwrap().len(), 1);
        let living = "SELECT count(*) FROM grants WHERE revoked_at IS NULL";
        assert_eq!(db_number(&world.database_url, living).await, 1);
        let (code, said) = command("grants list --active false").await;
        assert_eq!(code, Some(0));
        assert!(!said.to_string().contains('@'), "{said}");
        for bad in ["grants revoke", "grants revoke x", "grants list --person x"] {
            assert_eq!(command(bad).await.0, Some(1), "{bad}");
        }
    }

    async fn many_sign_ins_are_ended_by_organization_program_and_time(backend: Backend) {
        let mut world = World::start(backend).await;
        let (editor, other) = (world.client("editor").await, world.client("other").await);
        for (client, name) in [(&editor, "alice"), (&editor, "bob"), (&other, "alice")] {
            client.signed_in(&world, name).await;
        }
        let elsewhere = Person::named("carol").with("org_id", json!("org_2"));
        let elsewhere = elsewhere.with("org_name", json!("elsewhere"));
        let end = editor.walk(&world, &mut world.browser(), &elsewhere, &[]).await;
        let carol = Tokens::of(&editor.exchange(&query(&end, "code").unwrap()).await);
        let folder = tempfile::tempdir().unwrap();
        let command = async |words: &str| {
            run_with_errors(&world, folder.path(), words, &[]).await
        };
        let living = async || {
            let sql = "SELECT count(*) FROM grants WHERE revoked_at IS NULL";
            db_number(&world.database_url, sql).await
        };
        // Nobody is asked without a terminal, and nothing ends without a yes.
        let (code, said) = command("grants revoke --organization example-inc").await;
        assert_eq!((code, living().await), (Some(1), 4), "{said}");
        assert!(said.contains("3 grants of 2 people"), "{said}");
        for (bad, wanted) in [
            ("--organization nowhere.example", "no such organization"),
            ("--from yesterday", "is no time"),
            ("--from 2026-11-24 --to 2026-11-23", "lies before"),
            ("--active false --yes", "have ended"),
        ] {
            let (code, said) = command(&format!("grants revoke {bad}")).await;
            assert_eq!((code, living().await), (Some(1), 4), "{bad}: {said}");
            assert!(said.contains(wanted), "{bad}: {said}");
        }
        let id = carol.claims()["gid"].as_str().unwrap().to_owned();
        let (code, _) = command(&format!("grants revoke {id} --client x")).await;
        assert_eq!((code, living().await), (Some(1), 4));
        // What is listed is what ends.
        let both = format!("--organization example-inc --client {}", editor.client_id);
        let (_, listed) = command(&format!("grants list {both} --json")).await;
        let listed: Value = serde_json::from_str(&listed).unwrap();
        assert_eq!(listed["grants"].as_array().unwrap().len(), 2, "{listed}");
        let (code, said) = command(&format!("grants revoke {both} --yes")).await;
        assert_eq!((code, living().await), (Some(0), 2), "{said}");
        assert!(said.ends_with("2 revoked\n"), "{said}");
        // By time: those made before now are all that are left, and those made later none.
        world.advance(MINUTE);
        let moment = rfc3339(world.clock.now());
        let (_, said) = command(&format!("grants revoke --from {moment} --yes")).await;
        assert_eq!((said.as_str(), living().await), ("0 revoked\n", 2));
        let (_, said) = command(&format!("grants revoke --to {moment} --yes --json")).await;
        assert_eq!(living().await, 0, "{said}");
        let by_command = "SELECT count(*) FROM audit WHERE kind = 'grant_revoked'
             AND actor = 'command' AND reason = 'by_admin'";
        assert_eq!(db_number(&world.database_url, by_command).await, 4);
        // It counts: nobody goes on, and the page asks again.
        world.advance(MINUTE);
        let refused = editor.refresh(carol.refresh_token()).await;
        assert_eq!(refused.json()["error"], "invalid_grant");
        world.restart(&[]).await;
        world.mcp(&carol.access_token).ping().await.expect(401);
    }
}
