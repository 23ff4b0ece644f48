//! From grace to enforced: who is asked to sign in, who counts as having come back, and when it
//! ends by itself.
//!
//! `World::tend_enforcement` does at once what a house does unasked within seconds.

use gatehouse::clock::Clock as _;
use gatehouse::domain::audit::Actor;
use gatehouse::domain::enforcement::{Policy, Standing, Tally};
use gatehouse::flow::enforcement::reading;
use gatehouse::secret::SystemEntropy;
use gatehouse::store::{Consumed, Store, enforcement as halts};
use sea_orm::ConnectionTrait as _;
use serde_json::{Value, json};

use crate::support::database::{db_connect, db_dump, db_dump_of, db_execute, db_number};
use crate::support::{Answer, Backend, MINUTE, McpClient, SECOND, World, on_both};

/// Grace behind a proxy that says where requests come from, and no limit in the way.
pub const GRACE: [(&str, &str); 3] =
    [("auth", "grace"), ("trusted_proxies", "127.0.0.1"), ("limit_mcp_anonymous", "1000/15m")];

pub async fn grace(backend: Backend, settings: &[(&str, &str)]) -> World {
    World::with(backend, &[&GRACE, settings].concat()).await
}

/// The address of the so-and-so-many-eth caller.
pub fn address(number: u32) -> String {
    format!("198.{}.{}.7", 18 + number / 250, number % 250)
}

pub fn message(method: &str, params: Value) -> Value {
    json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
}

pub fn search() -> Value {
    message("tools/call", json!({"name": "search_docs", "arguments": {"query": "install"}}))
}

pub async fn send(mcp: &McpClient, from: &str, agent: &str, body: &Value) -> Answer {
    let request = mcp.request(body).header("x-forwarded-for", from);
    Answer::to(request.header("user-agent", agent)).await
}

/// Whether this caller is asked to sign in.
pub async fn is_asked(world: &World, from: &str, agent: &str, body: &Value) -> bool {
    match send(&world.anonymous_mcp(), from, agent, body).await.status {
        200 => false,
        401 => true,
        status => panic!("{status}"),
    }
}

/// Asks so many callers, from this one on, all of whom must sign in.
async fn ask(world: &World, from: u32, callers: u32) {
    for number in from..from + callers {
        assert!(is_asked(world, &address(number), "node", &search()).await, "{number}");
    }
}

/// So many of them come back signed in.
async fn come_back(mcp: &McpClient, from: u32, callers: u32) {
    for number in from..from + callers {
        send(mcp, &address(number), "node", &message("ping", json!({}))).await.expect(200);
    }
}

async fn halts_begun(world: &World) -> i64 {
    db_number(&world.database_url, "SELECT count(*) FROM enforcement_halts").await
}

/// The clock moves, and every house does what it does meanwhile.
async fn pass(world: &World, time: std::time::Duration) {
    world.advance(time);
    world.tend_enforcement().await.unwrap();
}

async fn resume(world: &World) -> Consumed {
    let store = Store::connect(&world.database_url).await.unwrap();
    let resumed =
        reading::resume(&store, &SystemEntropy, Actor::Command, world.clock.now()).await.unwrap();
    store.close().await;
    resumed
}

on_both! {
    async fn a_share_of_callers_always_gets_the_same_answer_and_grows(backend: Backend) {
        const CALLERS: u32 = 300;
        let mut world = grace(backend, &[]).await;
        let mut asked_before = vec![false; usize::try_from(CALLERS).unwrap()];
        for (share, expected) in [("0", 0..=0), ("20%", 30..=90), ("60", 140..=220)] {
            world.restart(&[("enforce_share", share)]).await;
            let mut asked = Vec::new();
            for number in 0..CALLERS {
                asked.push(is_asked(&world, &address(number), "node", &search()).await);
            }
            let count = asked.iter().filter(|asked| **asked).count();
            assert!(expected.contains(&count), "{share}: {count}");
            let still = asked_before.iter().zip(&asked).all(|(before, now)| !before || *now);
            assert!(still, "who was asked is asked still");
            asked_before = asked;
        }
        // Another replica, another client, another tool: the same caller, the same answer.
        let there = world.replica(&[]).await;
        for number in 0..20 {
            let from = address(number);
            let mcp = world.anonymous_mcp().at(&there);
            let answer = send(&mcp, &from, "cursor/1", &message("ping", json!({}))).await;
            let asked = asked_before[usize::try_from(number).unwrap()];
            assert_eq!(answer.status == 401, asked, "{number}");
        }
    }

    async fn an_ipv6_network_is_one_caller(backend: Backend) {
        let world = grace(backend, &[("enforce_share", "50")]).await;
        let asks = async |from: &str| is_asked(&world, from, "node", &search()).await;
        let mut kinds = [false, false];
        for network in 0..12 {
            let first = asks(&format!("2001:db8:0:{network:x}::1")).await;
            assert_eq!(first, asks(&format!("2001:db8:0:{network:x}:9:8:7:6")).await);
            kinds[usize::from(first)] = true;
        }
        assert_eq!(kinds, [true, true]);
    }

    async fn who_is_asked_gets_exactly_what_enforce_answers(backend: Backend) {
        let mut world = grace(backend, &[("enforce_tools", "read_page")]).await;
        let read = message("tools/call", json!({"name": "read_page", "arguments": {}}));
        let mcp = world.anonymous_mcp();
        let by_tool = send(&mcp, "198.51.100.1", "node", &read).await.expect(401);
        // Nothing else is asked, and it passes as grace lets it.
        let passed = send(&mcp, "198.51.100.1", "node", &search()).await.expect(200);
        assert_eq!(passed.header("ratelimit-remaining"), Some("999"));
        // A token is never affected, whether it is good or not.
        let tokens = world.client("editor").await.signed_in(&world, "alice").await;
        send(&world.mcp(&tokens.access_token), "198.51.100.1", "node", &read).await.expect(200);
        let bad = send(&world.mcp("junk"), "198.51.100.1", "node", &search()).await.expect(401);
        assert!(bad.header("www-authenticate").unwrap().contains("invalid_token"));

        world.restart(&[("enforce_tools", ""), ("enforce_share", "100")]).await;
        let by_share = send(&world.anonymous_mcp(), "198.51.100.1", "node", &search()).await;
        // What cannot be read is asked as well: enforce would not have looked at it.
        let unread = world.anonymous_mcp().request(&search()).body("{").send().await.unwrap();
        let unread = Answer::of(unread).await;
        world.restart(&[("auth", "enforce"), ("enforce_share", "0")]).await;
        let enforced = send(&world.anonymous_mcp(), "198.51.100.1", "node", &search()).await;
        let told = |answer: &Answer| {
            let names = ["www-authenticate", "cache-control", "content-type", "ratelimit-limit"];
            let headers = names.map(|name| answer.header(name).map(str::to_owned));
            (answer.status, headers, answer.body.clone())
        };
        assert_eq!(enforced.header("cache-control"), Some("no-store"));
        for answer in [by_tool, by_share, unread] {
            assert_eq!(told(&answer), told(&enforced));
        }
    }

    async fn clients_are_known_by_what_they_say_of_themselves(backend: Backend) {
        let settings = [("enforce_clients", "cursor,claude-code"), ("enforce_tools", "read_page")];
        let world = grace(backend, &settings).await;
        let initialize = |name: &str| message("initialize", json!({
            "protocolVersion": "2025-11-25", "capabilities": {},
            "clientInfo": {"name": name, "version": "1"},
        }));
        let list = message("tools/list", json!({}));
        for (agent, body, asked) in [
            ("cursor/1.2", &list, true),
            ("claude-code/2 (cli)", &list, true),
            ("node", &initialize("cursor-vscode"), true),
            ("node", &initialize("zed"), false),
            // The request speaks before the library it was made with.
            ("claude-code/2", &initialize("zed"), false),
            ("claude-user", &list, false),
            ("node", &list, false),
        ] {
            let is = is_asked(&world, "198.51.100.1", agent, body).await;
            assert_eq!(is, asked, "{agent} {body}");
        }
    }

    async fn who_uses_the_limit_up_is_still_asked_and_not_counted_for_it(backend: Backend) {
        let settings = [("enforce_clients", "Cursor"), ("limit_mcp_anonymous", "3/15m")];
        let world = grace(backend, &settings).await;
        let mcp = world.anonymous_mcp();
        for _ in 0..5 {
            assert!(is_asked(&world, "198.51.100.1", "cursor/1", &search()).await);
        }
        for status in [200, 200, 200, 429, 429] {
            send(&mcp, "198.51.100.1", "node", &search()).await.expect(status);
        }
        assert!(is_asked(&world, "198.51.100.1", "cursor/1", &search()).await);
    }

    async fn who_comes_back_anywhere_counts_as_returned_and_only_in_time(backend: Backend) {
        let world = grace(backend, &[("enforce_share", "100")]).await;
        let there = world.replica(&[]).await;
        let tokens = world.client("editor").await.signed_in(&world, "alice").await;
        ask(&world, 0, 6).await;
        // Signed in elsewhere before it was written that they were asked here.
        let other = world.mcp(&tokens.access_token).at(&there);
        come_back(&other, 0, 2).await;
        world.tend_enforcement().await.unwrap();
        pass(&world, 5 * SECOND).await;
        let status = async || {
            let store = Store::connect(&world.database_url).await.unwrap();
            let status = reading::status(&store, Policy::everybody(), world.clock.now()).await;
            store.close().await;
            status.unwrap()
        };
        let tally = status().await.last_hour;
        assert_eq!((tally.challenged, tally.returned), (6, 2));
        pass(&world, 29 * MINUTE).await;
        come_back(&world.mcp(&tokens.access_token), 2, 1).await;
        pass(&world, MINUTE).await;
        come_back(&world.mcp(&tokens.access_token), 3, 3).await;
        pass(&world, SECOND).await;
        let status = status().await;
        assert_eq!((status.last_hour.challenged, status.last_hour.returned), (6, 3));
        assert_eq!(status.products, [("unknown".to_owned(), status.last_hour)]);
        assert_eq!(status.standing(), Standing::InForce);
    }

    async fn it_halts_once_for_all_and_goes_on_when_somebody_says_so(backend: Backend) {
        let world = grace(backend, &[("enforce_share", "100")]).await;
        let there = world.replica(&[]).await;
        let tokens = world.client("editor").await.signed_in(&world, "alice").await;
        ask(&world, 0, 21).await;
        come_back(&world.mcp(&tokens.access_token), 0, 10).await;
        world.tend_enforcement().await.unwrap();
        pass(&world, 30 * MINUTE - SECOND).await;
        assert_eq!(halts_begun(&world).await, 0, "they have time left");
        world.advance(2 * SECOND);
        world.tend_enforcement().await.unwrap();
        assert_eq!(halts_begun(&world).await, 1);
        // Whoever judged last has looked since; now the other has as well.
        world.tend_enforcement().await.unwrap();
        let elsewhere = world.anonymous_mcp().at(&there);
        for number in 0..30 {
            assert!(!is_asked(&world, &address(number), "node", &search()).await);
            send(&elsewhere, &address(number), "node", &search()).await.expect(200);
        }
        // It stays so, also for whoever starts now, and nobody halts what is halted.
        let later = world.replica(&[]).await;
        send(&world.anonymous_mcp().at(&later), "198.51.100.1", "n", &search()).await.expect(200);
        for _ in 0..3 {
            pass(&world, MINUTE).await;
        }
        assert_eq!(halts_begun(&world).await, 1);
        assert_eq!(resume(&world).await, Consumed::ByUs);
        assert_eq!(resume(&world).await, Consumed::BySomeoneElse);
        pass(&world, SECOND).await;
        // Those of before are not held against it again.
        ask(&world, 100, 19).await;
        pass(&world, 31 * MINUTE).await;
        assert_eq!(halts_begun(&world).await, 1);
        ask(&world, 200, 1).await;
        pass(&world, 31 * MINUTE).await;
        assert_eq!(halts_begun(&world).await, 2);
    }

    async fn the_database_itself_allows_one_halt_at_a_time(backend: Backend) {
        let world = grace(backend, &[]).await;
        let store = Store::connect(&world.database_url).await.unwrap();
        let (now, tally) = (world.clock.now(), Tally { challenged: 20, returned: 1 });
        let judges: Vec<_> = (1..=8).map(|number| {
            let store = store.clone();
            tokio::spawn(async move {
                let txn = store.begin().await.unwrap();
                let id = uuid::Uuid::from_u128(number);
                let halted = halts::halt(&txn, id, tally, (now, now)).await.unwrap();
                txn.commit().await.unwrap();
                halted
            })
        }).collect();
        let mut begun = 0;
        for judge in judges {
            begun += i32::from(judge.await.unwrap() == Consumed::ByUs);
        }
        assert_eq!((begun, halts_begun(&world).await), (1, 1));
        // And whatever a program does.
        let second = "INSERT INTO enforcement_halts
            SELECT {fresh}, halted_at, challenged, returned, NULL FROM enforcement_halts";
        let fresh = match backend {
            Backend::Sqlite => "randomblob(16)",
            Backend::Postgres => "gen_random_uuid()",
        };
        let connection = db_connect(&world.database_url).await;
        let refused = connection.execute_unprepared(&second.replace("{fresh}", fresh)).await;
        assert!(refused.unwrap_err().to_string().to_lowercase().contains("unique"));
        // Judged by what an operator has seen already, it is not begun again.
        assert_eq!(resume(&world).await, Consumed::ByUs);
        let txn = store.begin().await.unwrap();
        let (before, id) = (now.minus(SECOND), uuid::Uuid::from_u128(9));
        let halted = halts::halt(&txn, id, tally, (before, now)).await.unwrap();
        assert_eq!(halted, Consumed::BySomeoneElse);
        txn.rollback().await.unwrap();
        store.close().await;
    }

    async fn enough_who_come_back_keep_it_going_and_old_failures_are_forgotten(backend: Backend) {
        let world = grace(backend, &[("enforce_share", "100")]).await;
        let tokens = world.client("editor").await.signed_in(&world, "alice").await;
        ask(&world, 0, 40).await;
        come_back(&world.mcp(&tokens.access_token), 0, 20).await;
        pass(&world, 31 * MINUTE).await;
        assert_eq!(halts_begun(&world).await, 0);
        // The same failures alone would halt it, were they not too long ago.
        world.advance(120 * MINUTE);
        ask_after_look(&world, 100, 10).await;
        pass(&world, 31 * MINUTE).await;
        assert_eq!(halts_begun(&world).await, 0);
    }

    async fn who_cannot_learn_whether_it_is_halted_asks_nobody(backend: Backend) {
        let world = grace(backend, &[("enforce_share", "100")]).await;
        db_execute(&world.database_url, "ALTER TABLE enforcement_halts RENAME TO away").await;
        ask(&world, 0, 1).await;
        world.advance(10 * SECOND);
        world.tend_enforcement().await.unwrap_err();
        assert!(!is_asked(&world, &address(0), "node", &search()).await);
        db_execute(&world.database_url, "ALTER TABLE away RENAME TO enforcement_halts").await;
        world.tend_enforcement().await.unwrap();
        ask(&world, 0, 1).await;
    }

    async fn no_address_is_kept_whole_and_nothing_at_all_without_grace(backend: Backend) {
        let mut world = grace(backend, &[("enforce_share", "100")]).await;
        assert!(is_asked(&world, "198.51.100.77", "node", &search()).await);
        assert!(is_asked(&world, "2001:db8:1:2:3:4:5:6", "node", &search()).await);
        world.tend_enforcement().await.unwrap();
        let rows = db_dump_of(&world.database_url, "anonymous_callers").await;
        let rows = String::from_utf8_lossy(&rows).into_owned();
        assert!(rows.contains("198.51.100.0/24") && rows.contains("2001:db8:1::/48"), "{rows}");
        let all = db_dump(&world.database_url).await;
        let all = String::from_utf8_lossy(&all);
        for part in ["198.51.100.77", "1:2:3", "c633644d", "C633644D"] {
            assert!(!all.contains(part), "{part}");
        }
        world.restart(&[("auth", "open"), ("enforce_share", "0")]).await;
        let rows = async || {
            world.tend_enforcement().await.unwrap();
            db_number(&world.database_url, "SELECT count(*) FROM anonymous_callers").await
        };
        let before = rows().await;
        assert!(!is_asked(&world, "203.0.113.9", "node", &search()).await);
        assert_eq!(rows().await, before);
    }
}

/// Asks callers after the clock has moved for longer than a look is believed.
async fn ask_after_look(world: &World, from: u32, callers: u32) {
    world.tend_enforcement().await.unwrap();
    ask(world, from, callers).await;
}
