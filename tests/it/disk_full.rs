//! A disk without room under SQLite, a file that may only be read, and an end in the middle of it:
//! faults, of which nothing stays once there is room.

use std::path::{Path, PathBuf};

use crate::support::database::db_connect;
use crate::support::oauth_client::post_json;
use crate::support::{Answer, Backend, Process, Tokens, World, free_port};
use sea_orm::ConnectionTrait as _;
use serde_json::json;

/// The world's one address is a process's.
async fn served_by_a_process(world: &mut World, folder: &Path) -> Process {
    let address = format!("127.0.0.1:{}", free_port());
    let url = format!("http://{address}");
    let settings = [("PUBLIC_URL", url.as_str()), ("LIMIT_TOKEN", "10000/1m")];
    let process = Process::start_at(&address, world, folder, "p", &settings).await;
    world.url.clone_from(&url);
    world.local = url;
    world.auth0.in_real_time();
    world.keep_no_connections();
    process
}

/// What SQLite appends to.
fn log_of(database_url: &str) -> PathBuf {
    let path = database_url.trim_start_matches("sqlite://").split('?').next().unwrap();
    PathBuf::from(format!("{path}-wal"))
}

/// From now on the process has no room for a single page more.
fn fill(process: &Process, world: &World) {
    let length = std::fs::metadata(log_of(&world.database_url)).unwrap().len();
    process.limit_files(&length.to_string());
}

async fn expect_whole(database_url: &str) {
    let connection = db_connect(database_url).await;
    let sql = sea_orm::Statement::from_string(
        sea_orm::DbBackend::Sqlite,
        "PRAGMA integrity_check".to_owned(),
    );
    let row = connection.query_one_raw(sql).await.unwrap().unwrap();
    assert_eq!(row.try_get_by_index::<String>(0).unwrap(), "ok");
    connection.close().await.unwrap();
}

#[track_caller]
fn expect_fault(answer: Answer) {
    let answer = answer.expect_error(503, "temporarily_unavailable");
    assert!(answer.header("retry-after").is_some());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_is_a_fault_and_with_room_everything_goes_on() {
    let mut world = World::start(Backend::Sqlite).await;
    let folder = tempfile::tempdir().unwrap();
    let process = served_by_a_process(&mut world, folder.path()).await;
    let client = world.client("editor").await;
    let alice = client.signed_in(&world, "alice").await;
    let bob = client.signed_in(&world, "bob").await;
    let code = client.code(&world, "carol", &[]).await;

    fill(&process, &world);
    for _ in 0..3 {
        expect_fault(client.refresh(alice.refresh_token()).await);
        expect_fault(client.exchange(&code).await);
        expect_fault(client.revoke(bob.refresh_token()).await);
        let body = json!({"redirect_uris": ["https://e.com/cb"]});
        expect_fault(post_json(&world, "/oauth/register", &body).await);
    }
    // Reading needs no room.
    world.mcp(&alice.access_token).ping().await.expect(200);
    Answer::to(world.http.get(world.at("/.well-known/jwks.json"))).await.expect(200);
    let readyz = format!("{}/readyz", process.admin_url);
    Answer::to(world.http.get(&readyz)).await.expect(200);

    process.limit_files("unlimited");
    let alice = Tokens::of(&client.refresh(alice.refresh_token()).await);
    world.mcp(&alice.access_token).ping().await.expect(200);
    Tokens::of(&client.exchange(&code).await);
    let bob = Tokens::of(&client.refresh(bob.refresh_token()).await);
    client.revoke(bob.refresh_token()).await.expect(200);
    client.signed_in(&world, "dora").await;
    expect_whole(&world.database_url).await;
    assert!(!process.written().contains("panicked"), "{}", process.written());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_is_killed_on_a_full_disk_leaves_nothing_half_written() {
    let mut world = World::start(Backend::Sqlite).await;
    let folder = tempfile::tempdir().unwrap();
    let mut process = served_by_a_process(&mut world, folder.path()).await;
    let client = world.client("editor").await;
    let mut people = Vec::new();
    for number in 0..6 {
        people.push(client.signed_in(&world, &format!("person{number}")).await);
    }
    fill(&process, &world);
    let writing: Vec<_> = people
        .iter()
        .map(|tokens| {
            let (client, old) = (client.clone(), tokens.refresh_token().to_owned());
            tokio::spawn(async move { client.refresh(&old).await })
        })
        .collect();
    expect_fault(client.refresh(people[0].refresh_token()).await);
    process.kill();
    for answer in writing {
        // Nobody was told of a token that is not kept.
        assert!(matches!(answer.await.unwrap().status, 0 | 503));
    }
    process.start_again(&world).await;
    expect_whole(&world.database_url).await;
    for tokens in &people {
        Tokens::of(&client.refresh(tokens.refresh_token()).await);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_without_room_stops_nobody() {
    let mut world = World::start(Backend::Sqlite).await;
    let folder = tempfile::tempdir().unwrap();
    // Every write to this device finds it full; errors are written there as well.
    std::os::unix::fs::symlink("/dev/full", folder.path().join("p.log")).unwrap();
    let mut process = served_by_a_process(&mut world, folder.path()).await;
    let client = world.client("editor").await;
    let alice = client.signed_in(&world, "alice").await;
    let alice = Tokens::of(&client.refresh(alice.refresh_token()).await);
    world.mcp(&alice.access_token).ping().await.expect(200);
    process.terminate();
    assert_eq!(process.ended().await, Some(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_that_nobody_reads_stops_nobody() {
    let mut world = World::start(Backend::Sqlite).await;
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("p.log");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    assert!(made.unwrap().success());
    // A pipe that somebody holds open takes some lines, and then no more.
    let _held = std::fs::File::options().read(true).write(true).open(&pipe).unwrap();
    let mut process = served_by_a_process(&mut world, folder.path()).await;
    for _ in 0..1000 {
        Answer::to(world.http.get(world.at("/.well-known/jwks.json"))).await.expect(200);
    }
    world.client("editor").await.signed_in(&world, "alice").await;
    process.terminate();
    assert_eq!(process.ended().await, Some(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_may_only_be_read_serves_who_reads() {
    let world = World::start(Backend::Sqlite).await;
    let client = world.client("editor").await;
    let alice = client.signed_in(&world, "alice").await;
    let read_only = world.database_url.replace("mode=rwc", "mode=ro");
    let there = world.replica(&[("database_url", &read_only)]).await;
    expect_fault(client.at(&there).refresh(alice.refresh_token()).await);
    world.mcp(&alice.access_token).at(&there).ping().await.expect(200);
    Answer::to(world.http.get(format!("{there}/.well-known/jwks.json"))).await.expect(200);
    // Who may write goes on with the same token.
    Tokens::of(&client.refresh(alice.refresh_token()).await);
}
