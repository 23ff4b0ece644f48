//! Limits that replicas share: SB-26, BP-19, DC-16, LT-16 of the requirements.
//!
//! With a limit of 20 a lease is 2. `World::limits_settled` does at once what a house does unasked
//! a moment later, so that it is known which replica knows what.

use serde_json::json;

use crate::secrets::{found, holds};
use crate::support::database::{db_dump_of, db_execute, db_hold_limits, db_number};
use crate::support::{Answer, Backend, HOUR, MINUTE, McpClient, SECOND, Tokens, World, on_both};

const LIMIT: u32 = 20;
const LEASE: u32 = 2;
/// The house and its replica.
const REPLICAS: u32 = 2;

async fn settled_events(world: &World) -> i64 {
    db_number(
        &world.database_url,
        "SELECT CAST(coalesce(sum(used), 0) AS BIGINT) FROM limit_windows",
    )
    .await
}

async fn register(world: &World, address: &str, name: &str) -> Answer {
    let body = json!({"client_name": name, "redirect_uris": ["https://e.com/cb"]});
    Answer::to(world.http.post(format!("{address}/oauth/register")).json(&body)).await
}

/// How many pings in a row are answered.
async fn pings_answered(mcp: &McpClient) -> u32 {
    let mut answered = 0;
    loop {
        match mcp.ping().await.status {
            200 => answered += 1,
            status => {
                assert_eq!(status, 429);
                return answered;
            }
        }
    }
}

#[track_caller]
fn assert_shared(allowed: u32) {
    let most = LIMIT + (REPLICAS - 1) * LEASE;
    assert!((LIMIT..=most).contains(&allowed), "{allowed} of {LIMIT} to {most}");
}

/// A settlement may find more than a lease, and so leave less than one.
#[track_caller]
fn assert_all_but_a_lease(settled: i64) {
    assert!((i64::from(LIMIT - LEASE + 1)..=i64::from(LIMIT)).contains(&settled), "{settled}");
}

on_both! {
    async fn replicas_together_let_a_person_call_as_often_as_the_limit_says(backend: Backend) {
        let world = World::with(backend, &[("limit_mcp", "20/15m")]).await;
        let replica = world.replica(&[]).await;
        let tokens = world.client("editor").await.signed_in(&world, "alice").await;
        let here = world.mcp(&tokens.access_token);
        let there = world.mcp(&tokens.access_token).at(&replica);
        let mut allowed = 0;
        for _ in 0..2 * LIMIT {
            for mcp in [&here, &there] {
                allowed += u32::from(mcp.ping().await.status == 200);
                world.limits_settled().await;
            }
        }
        assert_shared(allowed);
        for mcp in [&here, &there] {
            let limited = mcp.ping().await.expect(429);
            assert_eq!(limited.header("retry-after"), Some("900"));
            assert_eq!(limited.header("ratelimit-remaining"), Some("0"));
        }
        // The window is over for both at once.
        world.advance(15 * MINUTE);
        for mcp in [&here, &there] {
            let answer = mcp.ping().await.expect(200);
            assert_eq!(answer.header("ratelimit-remaining"), Some("19"));
        }
    }

    async fn replicas_together_register_as_often_as_the_limit_says(backend: Backend) {
        let world = World::with(backend, &[("limit_register", "20/1h")]).await;
        let replica = world.replica(&[]).await;
        let mut allowed = 0;
        for number in 0..2 * LIMIT {
            for address in [&world.local, &replica] {
                let answer = register(&world, address, &format!("{number} at {address}")).await;
                if answer.status != 201 {
                    let limited = answer.expect_error(429, "temporarily_unavailable");
                    assert_eq!(limited.header("retry-after"), Some("3600"));
                    continue;
                }
                allowed += 1;
                world.limits_settled().await;
            }
        }
        assert_shared(allowed);
        world.advance(HOUR);
        register(&world, &world.local, "the next").await.expect(201);
        register(&world, &replica, "and another").await.expect(201);
    }

    async fn replicas_together_renew_a_sign_in_as_often_as_the_limit_says(backend: Backend) {
        let world = World::with(backend, &[("limit_token", "20/1m")]).await;
        let here = world.client("editor").await;
        let there = here.at(&world.replica(&[]).await);
        let mut tokens = here.signed_in(&world, "alice").await;
        // The exchange was the first of them.
        let mut allowed = 1;
        for _ in 0..2 * LIMIT {
            // Each replica is given what the other one handed out.
            for client in [&there, &here] {
                let answer = client.refresh(tokens.refresh_token()).await;
                if answer.status != 200 {
                    let limited = answer.expect_error(429, "temporarily_unavailable");
                    assert_eq!(limited.header("retry-after"), Some("60"));
                    continue;
                }
                tokens = Tokens::of(&answer);
                allowed += 1;
                world.limits_settled().await;
            }
        }
        assert_shared(allowed);
        // Other sign-ins go on, and so does this one when its window is over.
        let other = here.signed_in(&world, "alice").await;
        there.refresh(other.refresh_token()).await.expect(200);
        world.advance(MINUTE);
        tokens = Tokens::of(&there.refresh(tokens.refresh_token()).await);
        here.refresh(tokens.refresh_token()).await.expect(200);
    }

    async fn every_answer_says_how_many_calls_are_left(backend: Backend) {
        let world = World::start(backend).await;
        let tokens = world.client("editor").await.signed_in(&world, "alice").await;
        let mcp = world.mcp(&tokens.access_token);
        let says = |answer: &Answer| ["limit", "remaining", "reset"]
            .map(|name| answer.header(&format!("ratelimit-{name}")).unwrap().to_owned());
        assert_eq!(says(&mcp.ping().await.expect(200)), ["60", "59", "900"]);
        world.advance(5 * MINUTE);
        assert_eq!(says(&mcp.ping().await.expect(200)), ["60", "58", "600"]);
        assert_eq!(pings_answered(&mcp).await, 58);
        let limited = mcp.ping().await.expect(429);
        assert_eq!(says(&limited), ["60", "0", "600"]);
        assert_eq!(limited.header("retry-after"), Some("600"));
        let error = json!({"code": -32000,
            "message": "Too many requests. Try again in 600 seconds."});
        assert_eq!(limited.json(), json!({"jsonrpc": "2.0", "id": null, "error": error}));
    }

    async fn an_address_that_many_people_share_is_not_shut_out(backend: Backend) {
        let world = World::with(backend, &[("limit_token", "3/1m"), ("limit_mcp", "3/15m")]).await;
        let hosted = world.web_client("hosted").await;
        let bob = hosted.signed_in(&world, "bob").await;
        // Somebody at the same address, in the same client, has nothing but refusals.
        for _ in 0..20 {
            world.mcp("junk").ping().await.expect(401);
            hosted.refresh("ghr_guess").await;
        }
        hosted.refresh("ghr_guess").await.expect_error(429, "temporarily_unavailable");
        let alice = hosted.signed_in(&world, "alice").await;
        assert_eq!(pings_answered(&world.mcp(&alice.access_token)).await, 3);
        // Nobody else notices.
        let bob = Tokens::of(&hosted.refresh(bob.refresh_token()).await);
        assert_eq!(pings_answered(&world.mcp(&bob.access_token)).await, 3);
        let other = world.web_client("another").await;
        other.refresh("ghr_guess").await.expect_error(400, "invalid_grant");
    }

    async fn an_ipv6_network_is_one_address(backend: Backend) {
        let settings = [("limit_register", "2/1h"), ("trusted_proxies", "127.0.0.1")];
        let world = World::with(backend, &settings).await;
        for (address, status) in [
            ("2001:db8::1", 201),
            ("2001:db8::ffff:2", 201),
            ("2001:db8::3", 429),
            ("2001:db8:0:1::1", 201),
            ("203.0.113.1", 201),
            ("::ffff:203.0.113.1", 201),
            ("203.0.113.1", 429),
        ] {
            let count = "SELECT count(*) FROM clients";
            let name = db_number(&world.database_url, count).await.to_string();
            let body = json!({"client_name": name, "redirect_uris": ["https://e.com/cb"]});
            let request = world.http.post(world.at("/oauth/register")).json(&body);
            let answer = Answer::to(request.header("x-forwarded-for", address)).await;
            assert_eq!(answer.status, status, "{address}");
        }
    }

    async fn a_handful_of_calls_is_never_written_down(backend: Backend) {
        let world = World::start(backend).await;
        let client = world.client("editor").await;
        let tokens = client.signed_in(&world, "alice").await;
        client.refresh(tokens.refresh_token()).await.expect(200);
        for _ in 0..5 {
            world.mcp(&tokens.access_token).ping().await.expect(200);
        }
        world.limits_settled().await;
        assert_eq!(settled_events(&world).await, 0);
        world.mcp(&tokens.access_token).ping().await.expect(200);
        world.limits_settled().await;
        assert_eq!(settled_events(&world).await, 6);
    }

    async fn a_lease_costs_one_write_and_who_is_refused_none(backend: Backend) {
        let world = World::with(backend, &[("limit_mcp", "20/15m")]).await;
        count_writes(backend, &world).await;
        let tokens = world.client("editor").await.signed_in(&world, "alice").await;
        let mcp = world.mcp(&tokens.access_token);
        assert_eq!(pings_answered(&mcp).await, LIMIT);
        for _ in 0..50 {
            mcp.ping().await.expect(429);
        }
        world.limits_settled().await;
        let writes = db_number(&world.database_url, "SELECT count(*) FROM writes").await;
        assert_all_but_a_lease(settled_events(&world).await);
        assert!((1..=i64::from(LIMIT / LEASE)).contains(&writes), "{writes}");
    }

    async fn a_replica_that_was_killed_knows_what_was_settled(backend: Backend) {
        let mut world = World::with(backend, &[("limit_mcp", "20/15m")]).await;
        world.keep_no_connections();
        let tokens = world.client("editor").await.signed_in(&world, "alice").await;
        for _ in 0..LIMIT - LEASE {
            world.mcp(&tokens.access_token).ping().await.expect(200);
            world.limits_settled().await;
        }
        world.kill().await;
        world.advance(MINUTE);
        world.restart(&[]).await;
        let mcp = world.mcp(&tokens.access_token);
        for _ in 0..LEASE {
            mcp.ping().await.expect(200);
        }
        world.limits_settled().await;
        // The window is the one that began before.
        let limited = mcp.ping().await.expect(429);
        assert_eq!(limited.header("retry-after"), Some("840"));
    }

    async fn a_stop_shares_what_was_counted_last(backend: Backend) {
        let mut world = World::start(backend).await;
        let tokens = world.client("editor").await.signed_in(&world, "alice").await;
        world.mcp(&tokens.access_token).ping().await.expect(200);
        assert_eq!(settled_events(&world).await, 0);
        world.restart(&[]).await;
        // A registration, an exchange and a ping.
        assert_eq!(settled_events(&world).await, 3);
    }

    async fn a_database_that_is_away_makes_each_replica_count_alone(backend: Backend) {
        let world = World::with(backend, &[("limit_mcp", "20/15m")]).await;
        let tokens = world.client("editor").await.signed_in(&world, "alice").await;
        let here = world.mcp(&tokens.access_token);
        let there = world.mcp(&tokens.access_token).at(&world.replica(&[]).await);
        let rename = async |from, to| {
            let sql = format!("ALTER TABLE {from} RENAME TO {to}");
            db_execute(&world.database_url, &sql).await;
        };
        rename("limit_windows", "limit_windows_away").await;
        for mcp in [&here, &there] {
            assert_eq!(pings_answered(mcp).await, LIMIT);
        }
        rename("limit_windows_away", "limit_windows").await;
        // Nothing of it is lost.
        world.limits_settled().await;
        assert_eq!(settled_events(&world).await, i64::from(2 * LIMIT));
        let third = world.mcp(&tokens.access_token).at(&world.replica(&[]).await);
        for _ in 0..LEASE {
            third.ping().await.expect(200);
        }
        world.limits_settled().await;
        third.ping().await.expect(429);
    }

    async fn what_could_not_be_settled_is_settled_unasked_later(backend: Backend) {
        let world = World::with(backend, &[("limit_mcp", "20/15m")]).await;
        let tokens = world.client("editor").await.signed_in(&world, "alice").await;
        db_execute(&world.database_url, "ALTER TABLE limit_windows RENAME TO away").await;
        assert_eq!(pings_answered(&world.mcp(&tokens.access_token)).await, LIMIT);
        db_execute(&world.database_url, "ALTER TABLE away RENAME TO limit_windows").await;
        let settled = async {
            while settled_events(&world).await < i64::from(LIMIT) {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(30 * SECOND, settled).await.expect("it is settled in time");
    }

    async fn nobody_waits_for_a_settlement(backend: Backend) {
        let world = World::with(backend, &[("limit_mcp", "20/15m")]).await;
        let tokens = world.client("editor").await.signed_in(&world, "alice").await;
        let mcp = world.mcp(&tokens.access_token);
        mcp.ping().await.expect(200);
        let hold = db_hold_limits(&world.database_url).await;
        // One that waited would do so for seconds.
        let answered = tokio::time::timeout(30 * SECOND, pings_answered(&mcp)).await;
        assert_eq!(answered.ok(), Some(LIMIT - 1));
        hold.let_go().await;
        world.limits_settled().await;
        assert_all_but_a_lease(settled_events(&world).await);
    }

    async fn the_database_does_not_tell_who_was_counted(backend: Backend) {
        let settings = [("limit_mcp", "9/15m"), ("limit_mcp_anonymous", "9/15m"),
            ("limit_register", "9/1h"), ("limit_token", "9/1m"), ("auth", "grace"),
            ("trusted_proxies", "127.0.0.1")];
        let world = World::with(backend, &settings).await;
        let client = world.client("editor").await;
        let tokens = client.signed_in(&world, "alice").await;
        let claims = tokens.claims();
        world.mcp(&tokens.access_token).ping().await.expect(200);
        client.refresh("ghr_guess").await.expect(400);
        let ping = json!({"jsonrpc": "2.0", "id": 1, "method": "ping"});
        let ping = world.anonymous_mcp().request(&ping);
        Answer::to(ping.header("x-forwarded-for", "203.0.113.77")).await.expect(200);
        world.limits_settled().await;
        let rows = "SELECT count(*) FROM limit_windows";
        assert_eq!(db_number(&world.database_url, rows).await, 5);
        let dump = db_dump_of(&world.database_url, "limit_windows").await;
        assert!(found(&dump, "limit_mcp_anonymous"), "the search itself works");
        let subject = claims["sub"].as_str().unwrap();
        let gid = claims["gid"].as_str().unwrap();
        let texts = [subject, gid, &client.client_id, "203.0.113.77", "127.0.0.1"];
        for text in texts {
            assert!(!found(&dump, text), "{text}");
        }
        let bytes_of = |id: &str| u128::from_str_radix(&id.replace('-', ""), 16).unwrap()
            .to_be_bytes().to_vec();
        for bytes in [bytes_of(subject), bytes_of(gid), vec![203, 0, 113, 77], vec![127, 0, 0, 1]] {
            assert!(!holds(&dump, &bytes), "{bytes:?}");
        }
    }
}

/// Writes one row for each write of a limit, from now on.
async fn count_writes(backend: Backend, world: &World) {
    let statements: &[&str] = match backend {
        Backend::Sqlite => &[
            "CREATE TABLE writes (n INTEGER)",
            "CREATE TRIGGER i AFTER INSERT ON limit_windows
                BEGIN INSERT INTO writes VALUES (1); END",
            "CREATE TRIGGER u AFTER UPDATE ON limit_windows
                BEGIN INSERT INTO writes VALUES (1); END",
        ],
        Backend::Postgres => &[
            "CREATE TABLE writes (n INTEGER)",
            "CREATE FUNCTION note_write() RETURNS trigger LANGUAGE plpgsql
                AS 'BEGIN INSERT INTO writes VALUES (1); RETURN NULL; END'",
            "CREATE TRIGGER w AFTER INSERT OR UPDATE ON limit_windows
                FOR EACH ROW EXECUTE FUNCTION note_write()",
        ],
    };
    for statement in statements {
        db_execute(&world.database_url, statement).await;
    }
}
