//! What a database does to the house when it goes away, and how it comes back: silent connections,
//! a failover, no connection to be had, one that sleeps. Each ends in bounded time as a fault, and
//! mends without a restart (D11).

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::database::{
    database_behind, db_execute, db_hold, db_number, is_pooled, postgres_to_relay,
};
use crate::support::metrics::Scrape;
use crate::support::relay::{Blow, Moment};
use crate::support::{Answer, Backend, OAuthClient, Process, Relay, Tokens, World, free_port};

/// What may still answer while the database does not: longer than any bound of the house.
const AT_MOST: Duration = Duration::from_secs(30);
const CALLERS: usize = 24;

/// A house on Postgres and what stands between the two; `None` where a relay cannot stand.
async fn behind_a_relay() -> Option<(Relay, World)> {
    let relay = Relay::to(vec![postgres_to_relay()?]).await;
    let settings = [("limit_token", "10000/1m")];
    let world = World::behind(Backend::Postgres, Some(&relay), &settings).await;
    Some((relay, world))
}

/// People at work with one client.
async fn people(world: &World, client: &OAuthClient, count: usize) -> Vec<Tokens> {
    let mut people = Vec::new();
    for number in 0..count {
        people.push(client.signed_in(world, &format!("person{number}")).await);
    }
    people
}

/// All of them refresh at once; each is answered before its patience is at an end.
async fn refresh_all(client: &OAuthClient, people: &[Tokens]) -> Vec<Answer> {
    let refreshes: Vec<_> = people
        .iter()
        .map(|tokens| {
            let (client, old) = (client.clone(), tokens.refresh_token().to_owned());
            let refresh = async move { client.refresh(&old).await };
            tokio::spawn(tokio::time::timeout(AT_MOST, refresh))
        })
        .collect();
    let mut answers = Vec::new();
    for refresh in refreshes {
        answers.push(refresh.await.unwrap().expect("it is answered in bounded time"));
    }
    answers
}

/// A fault as a client can act on it: come again, and keep what you have.
#[track_caller]
fn expect_fault(answer: Answer) {
    let answer = answer.expect_error(503, "temporarily_unavailable");
    assert!(answer.header("retry-after").is_some());
}

/// The part of `/readyz` that the database is, and what it says.
async fn database_part(world: &World) -> (u16, Value) {
    let answer = Answer::to(world.http.get(world.admin_at("/readyz"))).await;
    let needs = answer.json()["needs"].clone();
    let part = needs.as_array().unwrap().iter().find(|need| need["name"] == "database");
    (answer.status, part.expect("it is named").clone())
}

/// Everybody's session goes on, and nobody's was ended.
async fn expect_all_go_on(world: &World, client: &OAuthClient, people: &[Tokens]) {
    for answer in refresh_all(client, people).await {
        let tokens = Tokens::of(&answer);
        world.mcp(&tokens.access_token).ping().await.expect(200);
    }
    let ended = "SELECT count(*) FROM grants WHERE revoked_at IS NOT NULL";
    assert_eq!(db_number(&world.database_url, ended).await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_that_fall_silent_are_thrown_away_and_keep_no_place() {
    let Some((relay, world)) = behind_a_relay().await else { return };
    let client = world.client("editor").await;
    let people = people(&world, &client, CALLERS).await;
    // Every place in the pool is taken once, so that all connections are of before.
    refresh_all(&client, &people).await;
    world.database_at_rest().await;
    relay.silence();
    // Half wait for an answer that never comes; what they had begun is begun anew.
    for answer in refresh_all(&client, &people).await {
        if answer.status != 200 {
            expect_fault(answer);
        }
    }
    expect_all_go_on(&world, &client, &people).await;
    let (status, _) = database_part(&world).await;
    assert_eq!(status, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_done_unasked_begins_again_where_it_hears_nothing() {
    let Some((relay, world)) = behind_a_relay().await else { return };
    let client = world.client("editor").await;
    client.signed_in(&world, "alice").await;
    world.database_at_rest().await;
    relay.silence();
    // Nobody waits for it, and no deadline but its own ends it.
    tokio::time::timeout(AT_MOST, world.keep_houses()).await.expect("it comes to its end");
    client.signed_in(&world, "bob").await;
    assert_eq!(database_part(&world).await.0, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_leaves_a_silent_connection_behind_leaves_its_place_free() {
    let Some((relay, world)) = behind_a_relay().await else { return };
    let client = world.client("editor").await;
    let people = people(&world, &client, CALLERS).await;
    refresh_all(&client, &people).await;
    world.database_at_rest().await;
    relay.silence();
    // A probe gives up before the house does, and takes another connection each time.
    for _ in 0..3 {
        let (status, part) = database_part(&world).await;
        if status == 503 {
            assert_eq!(part["reason"], "it does not answer in time");
        }
    }
    Tokens::of(&client.refresh(people[0].refresh_token()).await);
    let in_use = "gatehouse_store_connections{pool=\"writer\",state=\"in_use\"}";
    let free = async {
        loop {
            let scrape = Scrape::of(&world).await;
            assert!(scrape.text.contains(in_use), "{}", scrape.text);
            // Who asks uses one or two.
            if scrape.value(in_use) < 2.5 {
                break;
            }
        }
    };
    tokio::time::timeout(AT_MOST, free).await.expect("no connection is held for good");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_failover_connections_to_who_only_reads_are_not_used() {
    // A pooler's connections to the server are its own.
    if is_pooled() {
        return;
    }
    let Some((relay, world)) = behind_a_relay().await else { return };
    let client = world.client("editor").await;
    let people = people(&world, &client, 3).await;
    let code = client.code(&world, "late", &[]).await;
    let name = world.database_url.rsplit('/').next().unwrap();
    let name = name.split('?').next().unwrap();
    // The address leads to a server that was demoted: whoever connects now may only read.
    let demote = format!("ALTER DATABASE {name} SET default_transaction_read_only = on");
    db_execute(&world.database_url, &demote).await;
    relay.cut();
    for answer in refresh_all(&client, &people).await {
        expect_fault(answer);
    }
    expect_fault(client.exchange(&code).await);
    expect_fault(client.revoke(people[0].refresh_token()).await);
    world.mcp(&people[0].access_token).ping().await.expect(200);
    // The promoted one has the address. Connections of before still lead to the other.
    let promote = format!(
        "BEGIN READ WRITE; ALTER DATABASE {name} RESET default_transaction_read_only; COMMIT"
    );
    db_execute(&world.database_url, &promote).await;
    Tokens::of(&client.exchange(&code).await);
    expect_all_go_on(&world, &client, &people).await;
    let again = "gatehouse_store_retries_total{reason=\"connection_lost\"}";
    assert!(Scrape::of(&world).await.value(again) > 0.5);
}

/// The same database for a user of its own, whom the server may refuse connections.
async fn as_a_user_of_its_own(world: &World, name: &str) -> String {
    let sql = format!(
        "CREATE ROLE {name} LOGIN PASSWORD '{name}';
         GRANT ALL ON ALL TABLES IN SCHEMA public TO {name}"
    );
    db_execute(&world.database_url, &sql).await;
    let mut url = reqwest::Url::parse(&world.database_url).unwrap();
    url.set_username(name).unwrap();
    url.set_password(Some(name)).unwrap();
    url.into()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_with_no_connection_left_is_a_fault_in_bounded_time() {
    // A pooler logs in by itself.
    if is_pooled() {
        return;
    }
    let Some((relay, mut world)) = behind_a_relay().await else { return };
    let client = world.client("editor").await;
    let people = people(&world, &client, 4).await;
    let name = world.database_url.rsplit('/').next().unwrap().split('?').next().unwrap();
    let name = format!("{name}_user");
    let own_url = as_a_user_of_its_own(&world, &name).await;
    world.restart(&[("database_url", &database_behind(&relay, &own_url))]).await;
    Tokens::of(&client.refresh(people[0].refresh_token()).await);

    let limit = |count: i32| format!("ALTER ROLE {name} CONNECTION LIMIT {count}");
    db_execute(&world.database_url, &limit(0)).await;
    relay.cut();
    for answer in refresh_all(&client, &people[1..]).await {
        expect_fault(answer);
    }
    let (status, part) = database_part(&world).await;
    assert_eq!((status, &part["ready"]), (503, &Value::Bool(false)));
    // What needs no database is there all the while.
    Answer::to(world.http.get(world.at("/.well-known/jwks.json"))).await.expect(200);
    db_execute(&world.database_url, &limit(-1)).await;
    expect_all_go_on(&world, &client, &people[1..]).await;
    assert_eq!(database_part(&world).await.0, 200);
    // Roles are the server's and not the database's.
    world.restart(&[("database_url", &world.database_url.clone())]).await;
    let gone = format!("DROP OWNED BY {name}; DROP ROLE {name}");
    db_execute(&world.database_url, &gone).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_stands_still_piles_nothing_up() {
    let settings = [("limit_token", "10000/1m")];
    let world = World::with(Backend::Postgres, &settings).await;
    let client = world.client("editor").await;
    let people = people(&world, &client, 2 * CALLERS).await;
    let hold = db_hold(&world.database_url).await;
    // Three times as many as there are connections.
    for answer in refresh_all(&client, &people).await {
        expect_fault(answer);
    }
    hold.let_go().await;
    expect_all_go_on(&world, &client, &people).await;
}

/// The world's one address is a process's.
async fn served_by_a_process(world: &mut World, folder: &Path) -> Process {
    let address = format!("127.0.0.1:{}", free_port());
    let url = format!("http://{address}");
    let settings = [("PUBLIC_URL", url.as_str()), ("STOP_DELAY", "0s")];
    let process = Process::start_at(&address, world, folder, "p", &settings).await;
    world.url.clone_from(&url);
    world.local = url;
    world.auth0.in_real_time();
    world.keep_no_connections();
    process
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replica_stops_in_time_while_its_database_stands_still() {
    let mut world = World::start(Backend::Postgres).await;
    let folder = tempfile::tempdir().unwrap();
    let mut process = served_by_a_process(&mut world, folder.path()).await;
    let client = world.client("editor").await;
    let tokens = client.signed_in(&world, "alice").await;
    let hold = db_hold(&world.database_url).await;
    let (there, old) = (client.clone(), tokens.refresh_token().to_owned());
    let waiting = tokio::spawn(async move { there.refresh(&old).await });
    let waits = "SELECT count(*) FROM pg_stat_activity
         WHERE datname = current_database() AND wait_event_type = 'Lock'";
    while db_number(&world.database_url, waits).await == 0 {
        tokio::task::yield_now().await;
    }
    process.terminate();
    assert_eq!(process.ended().await, Some(0), "{}", process.written());
    expect_fault(waiting.await.unwrap());
    hold.let_go().await;
    process.start_again(&world).await;
    Tokens::of(&client.refresh(tokens.refresh_token()).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_was_asleep_is_waited_for_and_not_stormed() {
    let Some((relay, world)) = behind_a_relay().await else { return };
    let client = world.client("editor").await;
    let people = people(&world, &client, CALLERS).await;
    // It scaled to zero, and takes its time to wake.
    relay.fall_asleep();
    let before = relay.accepted();
    let waiting = tokio::spawn({
        let (client, people) = (client.clone(), people.clone());
        async move { refresh_all(&client, &people).await }
    });
    while relay.accepted() == before {
        tokio::task::yield_now().await;
    }
    relay.wake();
    for answer in waiting.await.unwrap() {
        Tokens::of(&answer);
    }
    // Sixteen is all that a replica opens; whoever was cut off asked once more.
    assert!(relay.accepted() - before <= 32, "{} connections", relay.accepted() - before);

    // One that takes too long is a fault, and answers when it is awake.
    relay.fall_asleep();
    let world_people = &people[..2];
    for answer in refresh_all(&client, world_people).await {
        expect_fault(answer);
    }
    assert_eq!(database_part(&world).await.0, 503);
    relay.wake();
    expect_all_go_on(&world, &client, world_people).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refresh_whose_commit_is_in_doubt_is_answered_when_it_comes_again() {
    let Some((relay, world)) = behind_a_relay().await else { return };
    let client = world.client("editor").await;
    let mut tokens = client.signed_in(&world, "alice").await;
    let mut faults = [0, 0];
    for message in 0..4 {
        for is_delivered in [false, true] {
            // There is a live connection, so the rotation is among the first messages.
            Answer::to(world.http.get(world.admin_at("/readyz"))).await.expect(200);
            relay.arm(Moment { message, is_delivered }, Blow::Outage);
            let answer = client.refresh(tokens.refresh_token()).await;
            let has_blown = relay.disarm().await;
            relay.settled().await;
            if answer.status == 503 {
                assert!(has_blown, "{}", answer.body);
                expect_fault(answer);
                faults[usize::from(is_delivered)] += 1;
            } else {
                // What comes after the commit is not waited for.
                Tokens::of(&answer);
            }
            // The client knows of no successor. It asks again with what it has.
            tokens = Tokens::of(&client.refresh(tokens.refresh_token()).await);
            let listed = world.mcp(&tokens.access_token).call("tools/list", json!({})).await;
            listed.expect(200);
        }
    }
    assert!(faults.iter().all(|faults| *faults > 0), "undelivered and delivered: {faults:?}");
}
