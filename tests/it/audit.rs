//! The audit log: what is written, once, with what it tells of; what the database refuses; what an
//! erasure leaves.

use std::sync::Arc;

use gatehouse::clock::Clock as _;
use gatehouse::store::{Store, audit};
use sea_orm::ConnectionTrait as _;
use serde_json::Value;

use crate::support::admin::{ALICE_ADMINISTERS, Operator, administers};
use crate::support::database::{db_connect, db_dump_of, db_execute, db_number};
use crate::support::process::run;
use crate::support::publisher::READS_LOOPBACK;
use crate::support::signed_in::signed_in;
use crate::support::sinks::erased;
use crate::support::{Backend, DAY, HOUR, Publisher, SECOND, Tokens, World, on_both};

const LOOPBACK: &str = "http://127.0.0.1/callback";

/// The rows, the oldest first; of one moment in no order.
async fn rows(operator: &Operator, filter: &str) -> Vec<Value> {
    let mut rows = operator.all(&format!("/audit{filter}"), 3).await;
    rows.reverse();
    rows
}

/// `kind`, `who` and `reason` of each row.
fn told(rows: &[Value]) -> Vec<(&str, &str, &str)> {
    rows.iter()
        .map(|row| {
            let of = |name: &str| row[name].as_str().unwrap_or_default();
            (of("kind"), of("who"), of("reason"))
        })
        .collect()
}

/// How many rows of a kind the table has, with that reason or with none.
async fn count(world: &World, kind: &str, reason: &str) -> i64 {
    let sql = format!(
        "SELECT count(*) FROM audit WHERE kind = '{kind}' AND COALESCE(reason, '') = '{reason}'"
    );
    db_number(&world.database_url, &sql).await
}

on_both! {
    async fn a_connection_is_told_from_its_beginning_to_its_end(backend: Backend) {
        let world = World::start(backend).await;
        let operator = Operator::with(&world, "o", "read").await;
        let client = world.client("editor").await;
        world.advance(SECOND);
        let mut browser = world.browser();
        let page = browser.get(&client.authorize_url(&[])).await.expect(200);
        client.decide(&mut browser, &page.body, "deny").await.expect(200);
        // Said once: the second answer is refused, and not told.
        client.decide(&mut browser, &page.body, "deny").await.expect(400);
        world.advance(SECOND);
        let provider = client.approve(&mut browser, &[]).await;
        world.advance(SECOND);
        let alice = crate::support::Person::named("alice");
        let end = browser.get(&world.auth0.log_in(&provider, &alice)).await.location();
        let code = crate::support::answer::query(&end, "code").unwrap();
        world.advance(SECOND);
        let tokens = Tokens::of(&client.exchange(&code).await);
        world.advance(SECOND);
        let next = Tokens::of(&client.refresh(tokens.refresh_token()).await);
        world.advance(SECOND);
        client.refresh(tokens.refresh_token()).await.expect(200);
        world.advance(SECOND);
        client.revoke(next.refresh_token()).await.expect(200);
        client.revoke(next.refresh_token()).await.expect(200);

        // By the program's own clock, which is not the story's, the token was made elsewhen.
        let rows = rows(&operator, "").await;
        let rows: Vec<_> =
            rows.into_iter().filter(|row| row["kind"] != "admin_token_created").collect();
        let claims = tokens.claims();
        let person = format!("person:{}", claims["sub"].as_str().unwrap());
        assert_eq!(told(&rows), [
            ("client_registered", "client", "registration"),
            ("consent_denied", "person", ""),
            ("consent_allowed", "person", ""),
            ("signed_in", &*person, "program"),
            ("token_issued", "client", ""),
            ("token_refreshed", "client", ""),
            ("token_refreshed", "client", "repeated"),
            ("grant_revoked", "client", "by_client"),
        ]);
        for row in &rows {
            assert_eq!(row["client_id"], client.client_id.as_str(), "{row}");
        }
        for row in &rows[4..] {
            assert_eq!((&row["grant"], &row["person"]), (&claims["gid"], &claims["sub"]));
        }
        // One attempt from the consent to the token, another than the one before.
        let reference = rows[2]["reference"].as_str().unwrap();
        assert_eq!(reference.len(), 8);
        assert!(rows[3..5].iter().all(|row| row["reference"] == reference));
        assert_ne!(rows[1]["reference"], reference);
        let dump = db_dump_of(&world.database_url, "audit").await;
        let dump = String::from_utf8_lossy(&dump);
        for secret in ["alice", "example.com", "ghr_", "127.0.0.1", &code, tokens.refresh_token()] {
            assert!(!dump.contains(secret), "{secret}");
        }
    }

    async fn filters_choose_pages_and_csv_and_say_what_is_wrong(backend: Backend) {
        let world = World::start(backend).await;
        let operator = Operator::with(&world, "o", "read").await;
        let client = world.client("editor").await;
        let alice = client.signed_in(&world, "alice").await;
        world.advance(DAY);
        let bob = client.signed_in(&world, "bob").await;
        let sub = alice.claims()["sub"].as_str().unwrap().to_owned();
        let hers = rows(&operator, &format!("?person={sub}")).await;
        assert_eq!(hers.len(), 2, "{hers:?}");
        assert_eq!(rows(&operator, "?kind=token_issued").await.len(), 2);
        let of_second_day = rows(&operator, "?from=2027-01-16").await;
        assert!(of_second_day.iter().all(|row| row["at"].as_str().unwrap() >= "2027-01-16"));
        assert_eq!(of_second_day.len(), 3);
        let first = rows(&operator, "?from=2027-01-15&to=2027-01-15&kind=signed_in").await;
        assert_eq!((first.len(), &first[0]["person"]), (1, &Value::from(&*sub)));
        let csv = operator.get_as("/audit?kind=signed_in", "text/csv").await.expect(200).body;
        assert_eq!(csv.lines().count(), 3);
        assert!(csv.starts_with("id,at,kind,who,person,"), "{csv}");
        for (bad, parameter) in [
            ("kind=x", "kind"), ("from=x", "from"), ("person=x", "person"), ("client=x", "client"),
            ("from=2027-01-16&to=2027-01-15", "to"),
        ] {
            let problem = operator.get(&format!("/audit?{bad}")).await.expect(400).json();
            assert_eq!(problem["parameter"], parameter, "{problem}");
        }
        assert_ne!(bob.claims()["sub"], alice.claims()["sub"]);
    }

    async fn of_reuses_at_once_one_is_told_and_of_refreshes_one_is_the_first(backend: Backend) {
        const AT_ONCE: usize = 8;
        let world = World::start(backend).await;
        let client = world.client("editor").await;
        let first = client.signed_in(&world, "alice").await;
        let at_once = async |token: &str| {
            let calls: Vec<_> = (0..AT_ONCE).map(|_| {
                let (client, token) = (client.clone(), token.to_owned());
                tokio::spawn(async move { client.refresh(&token).await.status })
            }).collect();
            let mut statuses = Vec::new();
            for call in calls {
                statuses.push(call.await.unwrap());
            }
            statuses
        };
        assert_eq!(at_once(first.refresh_token()).await, [200; AT_ONCE]);
        assert_eq!(count(&world, "token_refreshed", "").await, 1);
        assert_eq!(count(&world, "token_refreshed", "repeated").await, 7);
        world.advance(HOUR);
        assert_eq!(at_once(first.refresh_token()).await, [400; AT_ONCE]);
        let reason = "refresh_token_replayed";
        assert_eq!(count(&world, "refresh_reused", reason).await, 1);
        assert_eq!(count(&world, "grant_revoked", reason).await, 1);
    }

    async fn codes_that_come_back_and_documents_that_change_are_told(backend: Backend) {
        let world = World::with(backend, &[READS_LOOPBACK]).await;
        let publisher = Publisher::start().await;
        let client = publisher.client(&world, "editor", &[LOOPBACK]).await;
        let code = client.code(&world, "alice", &[]).await;
        client.exchange(&code).await.expect(200);
        client.exchange(&code).await.expect_error(400, "invalid_grant");
        client.exchange(&code).await.expect_error(400, "invalid_grant");
        assert_eq!(count(&world, "grant_revoked", "code_replayed").await, 1);
        assert_eq!(count(&world, "client_registered", "document").await, 1);
        let mut changed = publisher.document("editor", &[LOOPBACK]);
        for name in ["editor", "another", "another"] {
            changed["client_name"] = name.into();
            publisher.publish("editor", &changed).await;
            world.advance(DAY);
            world.browser().get(&client.authorize_url(&[])).await.expect(200);
        }
        assert_eq!(count(&world, "client_registered", "document").await, 1);
        assert_eq!(count(&world, "client_changed", "document").await, 1);
    }

    async fn who_administers_is_told_with_what_they_did(backend: Backend) {
        let world = World::with(backend, &[ALICE_ADMINISTERS]).await;
        let operator = Operator::with(&world, "robot", "write").await;
        let mut browser = administers(&world, "alice").await;
        let client = world.client("editor").await;
        let gid = async |name: &str| {
            client.signed_in(&world, name).await.claims()["gid"].as_str().unwrap().to_owned()
        };
        world.advance(SECOND);
        let (by_token, by_person, by_command) = (gid("a").await, gid("b").await, gid("c").await);
        operator.post(&format!("/grants/{by_token}/revoke")).await.expect(200);
        let api = |path: &str| world.admin_at(&format!("/admin/api/v1{path}"));
        let me = browser.get(&api("/me")).await.expect(200).json();
        let request = world.http.post(api(&format!("/grants/{by_person}/revoke")));
        let request = request.header("x-form-token", me["form"].as_str().unwrap());
        browser.send(request).await.expect(200);
        let folder = tempfile::tempdir().unwrap();
        let revoke = format!("grants revoke {by_command}");
        for command in [&*revoke, "admin token revoke robot"] {
            let (code, said) = run(&world, folder.path(), command, &[]).await;
            assert_eq!(code, Some(0), "{said}");
        }
        let rows = Operator::with(&world, "reader", "read").await;
        let rows = rows.all("/audit", 500).await;
        let who = |grant: &str| {
            let is_it = |row: &&Value| row["grant"] == grant && row["kind"] == "grant_revoked";
            rows.iter().find(is_it).expect("it is told")["who"].clone()
        };
        let alice = me["who"].clone();
        assert_eq!((who(&by_token), who(&by_person)), ("token:robot".into(), alice.clone()));
        assert_eq!(who(&by_command), "command");
        let told = told(&rows);
        assert!(told.contains(&("admin_token_created", "command", "robot")), "{told:?}");
        assert!(told.contains(&("admin_token_revoked", "command", "robot")), "{told:?}");
        assert!(told.contains(&("signed_in", alice.as_str().unwrap(), "administration")));
    }

    async fn the_database_refuses_what_must_not_happen_to_a_row(backend: Backend) {
        let world = World::start(backend).await;
        world.client("editor").await.signed_in(&world, "alice").await;
        let rows = db_number(&world.database_url, "SELECT count(*) FROM audit").await;
        let dump = db_dump_of(&world.database_url, "audit").await;
        let mut attempts = vec![
            "DELETE FROM audit".to_owned(),
            "DELETE FROM audit WHERE kind = 'signed_in'".to_owned(),
            "UPDATE audit SET user_id = id".to_owned(),
            "UPDATE audit SET actor_user_id = id WHERE actor_user_id IS NULL".to_owned(),
        ];
        for column in ["kind", "client_id", "reason", "reference", "actor_name"] {
            attempts.push(format!("UPDATE audit SET {column} = 'x'"));
        }
        for column in ["client_id", "grant_id"] {
            attempts.push(format!("UPDATE audit SET {column} = NULL"));
        }
        attempts.push("UPDATE audit SET happened_at = 0".to_owned());
        attempts.push("UPDATE audit SET id = grant_id WHERE grant_id IS NOT NULL".to_owned());
        attempts.push("UPDATE audit SET actor = 'server'".to_owned());
        if backend == Backend::Postgres {
            attempts.push("TRUNCATE audit".to_owned());
        }
        let connection = db_connect(&world.database_url).await;
        for sql in attempts {
            let refused = connection.execute_unprepared(&sql).await;
            let refused = refused.expect_err(&sql).to_string();
            assert!(refused.contains("audit: a row is"), "{sql}: {refused}");
        }
        connection.close().await.unwrap();
        assert_eq!(db_dump_of(&world.database_url, "audit").await, dump);
        assert!(rows >= 3);
    }

    async fn rows_are_kept_as_long_as_the_setting_says(backend: Backend) {
        let world = World::start(backend).await;
        let client = world.client("editor").await;
        client.signed_in(&world, "alice").await;
        let old = db_number(&world.database_url, "SELECT count(*) FROM audit").await;
        world.advance(400 * DAY - SECOND);
        client.signed_in(&world, "alice").await;
        let store = Store::connect(&world.database_url).await.unwrap();
        let pass = async || audit::retire(&store, 400 * DAY, world.clock.now()).await.unwrap();
        assert_eq!(pass().await, 0);
        world.advance(SECOND);
        assert_eq!(i64::try_from(pass().await).unwrap(), old);
        assert_eq!(pass().await, 0);
        // A clock that goes back does not bring the horizon back, and a younger row is kept.
        assert_eq!(audit::retire(&store, 800 * DAY, world.clock.now()).await.unwrap(), 0);
        let horizon = db_number(&world.database_url, "SELECT passed FROM audit_horizon").await;
        assert_eq!(horizon, world.clock.now().minus(400 * DAY).millis());
        assert_eq!(db_number(&world.database_url, "SELECT count(*) FROM audit").await, 3);
        store.close().await;
    }

    async fn more_rows_than_a_batch_go_in_one_pass(backend: Backend) {
        let world = World::start(backend).await;
        // Identifiers of the year 1970, as rows of that time have.
        let id = match backend {
            Backend::Sqlite => "cast(x'000000000000' || randomblob(10) AS BLOB)",
            Backend::Postgres => {
                "overlay(gen_random_uuid()::text placing '00000000-0000' from 1)::uuid"
            }
        };
        let rows = format!(
            "INSERT INTO audit (id, happened_at, kind, actor)
             WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2500)
             SELECT {id}, 0, 'signed_in', 'person' FROM n"
        );
        db_execute(&world.database_url, &rows).await;
        let store = Store::connect(&world.database_url).await.unwrap();
        assert_eq!(audit::retire(&store, DAY, world.clock.now()).await.unwrap(), 2500);
        store.close().await;
    }

    async fn an_erased_person_is_nobody_in_the_log_and_what_happened_stays(backend: Backend) {
        let world = Arc::new(World::with(backend, &[ALICE_ADMINISTERS]).await);
        let client = world.client("editor").await;
        let tokens = client.signed_in(&world, "alice").await;
        signed_in(&world, "alice").await;
        administers(&world, "alice").await;
        let before = db_number(&world.database_url, "SELECT count(*) FROM audit").await;
        // A refresh in the middle of it is told of nobody, or was never made.
        let (refreshing, token) = (client.clone(), tokens.refresh_token().to_owned());
        let refreshes = tokio::spawn(async move { refreshing.refresh(&token).await.status });
        erased(&world).await;
        let refreshed = i64::from(refreshes.await.unwrap() == 200);
        let after = db_number(&world.database_url, "SELECT count(*) FROM audit").await;
        assert_eq!(after, before + refreshed + 1);
        let named = "SELECT count(*) FROM audit
             WHERE user_id IS NOT NULL OR actor_user_id IS NOT NULL";
        assert_eq!(db_number(&world.database_url, named).await, 0);
        assert_eq!(count(&world, "person_erased", "asked").await, 1);
        let sub = tokens.claims()["sub"].as_str().unwrap().replace('-', "");
        let dump = db_dump_of(&world.database_url, "audit").await;
        assert!(!String::from_utf8_lossy(&dump).replace('-', "").contains(&sub));
    }

    async fn a_person_takes_their_rows_along_and_that_is_told(backend: Backend) {
        let world = World::start(backend).await;
        let tokens = world.client("editor").await.signed_in(&world, "alice").await;
        let sub = tokens.claims()["sub"].as_str().unwrap().to_owned();
        let folder = tempfile::tempdir().unwrap();
        let command = format!("users export {sub}");
        let (code, said) = run(&world, folder.path(), &command, &[]).await;
        assert_eq!(code, Some(0), "{said}");
        let copy: Value = serde_json::from_str(&said).unwrap();
        let kinds: Vec<_> = copy["audit"].as_array().unwrap().iter()
            .map(|row| row["kind"].as_str().unwrap()).collect();
        for kind in ["signed_in", "token_issued", "person_exported"] {
            assert!(kinds.contains(&kind), "{kinds:?}");
        }
        assert_eq!(kinds.len(), 3);
    }

    async fn the_command_exports_what_is_chosen(backend: Backend) {
        let world = World::start(backend).await;
        let client = world.client("editor").await;
        let alice = client.signed_in(&world, "alice").await;
        client.signed_in(&world, "bob").await;
        let folder = tempfile::tempdir().unwrap();
        let export = async |words: &str| {
            run(&world, folder.path(), &format!("audit export{words}"), &[]).await
        };
        let (code, lines) = export(" --json --kind signed_in").await;
        assert_eq!((code, lines.lines().count()), (Some(0), 2), "{lines}");
        for line in lines.lines() {
            assert_eq!(serde_json::from_str::<Value>(line).unwrap()["kind"], "signed_in");
        }
        let sub = alice.claims()["sub"].as_str().unwrap().to_owned();
        let (_, csv) = export(&format!(" --csv --person {sub}")).await;
        assert_eq!(csv.lines().count(), 3, "{csv}");
        assert!(csv.starts_with("id,at,kind,who,person,client_id,grant,reason,reference\n"));
        let (_, words) = export(" --from 2027-01-15 --to 2027-01-15").await;
        assert_eq!(words.lines().count(), 7, "{words}");
        assert_eq!(export(" --from 2027-01-16").await, (Some(0), String::new()));
        for bad in [" --from x", " --person x", " --from 2027-01-16 --to 2027-01-15"] {
            assert_eq!(export(bad).await.0, Some(1), "{bad}");
        }
        assert_eq!(export(" --kind x").await.0, Some(2));
    }
}
