//! An installation moves from SQLite to Postgres: nobody signs in again, and nothing is lost.

use serde_json::json;

use crate::delivery::submit;
use crate::support::database::{db_execute, db_number};
use crate::support::process::{run, run_with_errors};
use crate::support::signed_in::{is_signed_in, signed_in};
use crate::support::{Backend, World};

/// What an operator can ask of a database.
const QUESTIONS: [&str; 8] = [
    "users list --json --show-email",
    "clients list --json",
    "grants list --json",
    "keys list --json",
    "feedback list",
    "usage --json",
    "gaps --json",
    "audit export --json",
];

async fn import(world: &World, from: &str, to: &str) -> (Option<i32>, String) {
    let folder = tempfile::tempdir().unwrap();
    let command = format!("migrate import --from {from}");
    run_with_errors(world, folder.path(), &command, &[("DATABASE_URL", to)]).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_notices_the_move_to_postgres() {
    let mut world = World::with(Backend::Sqlite, &[("keep_queries", "true")]).await;
    let client = world.client("editor").await;
    let mut tokens = client.signed_in(&world, "alice").await;
    let mut browser = signed_in(&world, "alice").await;
    let mcp = world.mcp(&tokens.access_token);
    mcp.tool("search_docs", json!({ "query": "quince jam" })).await.expect(200);
    submit(&mcp, "It \"quotes\" \\ and says ü").await;
    for name in ["bob", "carol"] {
        let tokens = world.client(name).await.signed_in(&world, name).await;
        world.mcp(&tokens.access_token).ping().await.expect(200);
    }
    world.count_usage().await.unwrap();
    // More rows than go at once, with what SQL and JSON trip over.
    let many = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1203)
         INSERT INTO organizations (id, key, name, created_at)
         SELECT randomblob(16), 'domain:' || i, '\"' || char(10) || '''\\' || i, -i FROM n";
    db_execute(&world.database_url, many).await;

    let folder = tempfile::tempdir().unwrap();
    let here = world.database_url.clone();
    let there = Backend::Postgres.empty(folder.path()).await;
    let (code, said) = import(&world, &here, &there).await;
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("grants") && said.contains("the same secret"), "{said}");
    for question in QUESTIONS {
        let kept = ("KEEP_QUERIES", "true");
        let (code, before) = run(&world, folder.path(), question, &[kept]).await;
        assert_eq!(code, Some(0), "{question}: {before}");
        let there = [("DATABASE_URL", there.as_str()), kept];
        let (_, after) = run(&world, folder.path(), question, &there).await;
        assert_eq!(after, before, "{question}");
    }
    let sum = "SELECT CAST(count(*) + sum(created_at) + sum(length(name)) AS BIGINT)
         FROM organizations";
    assert_eq!(db_number(&there, sum).await, db_number(&here, sum).await);

    // The same people go on, with the tokens and the session of before.
    world.restart(&[("database_url", &there)]).await;
    world.mcp(&tokens.access_token).ping().await.expect(200);
    for _ in 0..2 {
        tokens = crate::support::Tokens::of(&client.refresh(tokens.refresh_token()).await);
    }
    world.mcp(&tokens.access_token).ping().await.expect(200);
    assert!(is_signed_in(&world, &mut browser).await);
    let page = browser.get(&world.at("/account")).await.expect(200).body;
    assert!(page.contains("alice@example.com"), "{page}");
    // A second copy finds people there.
    let before = db_number(&there, "SELECT count(*) FROM refresh_tokens").await;
    let (code, said) = import(&world, &here, &there).await;
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("the destination is not empty"), "{said}");
    assert_eq!(db_number(&there, "SELECT count(*) FROM refresh_tokens").await, before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_moved_is_said_and_leaves_nothing() {
    let world = World::start(Backend::Sqlite).await;
    world.client("editor").await.signed_in(&world, "alice").await;
    let folder = tempfile::tempdir().unwrap();
    let here = world.database_url.clone();
    let there = Backend::Postgres.empty(folder.path()).await;
    let missing = format!("sqlite://{}/none.db", folder.path().display());
    for (from, to, wanted) in [
        ("postgres://127.0.0.1/x", there.as_str(), "write it as sqlite://FILE"),
        ("sqlite://", &there, "write it as sqlite://FILE"),
        (&missing, &there, "none.db"),
        (&here, &here, "must name the Postgres"),
    ] {
        let (code, said) = import(&world, from, to).await;
        assert_eq!(code, Some(1), "{from}: {said}");
        assert!(said.contains(wanted), "{from}: {said}");
    }
    assert!(!folder.path().join("none.db").exists());
    let (code, said) = run_with_errors(&world, folder.path(), "migrate import", &[]).await;
    assert!(code == Some(1) && said.contains("--from"), "{said}");
    let (code, said) =
        run_with_errors(&world, folder.path(), "migrate up --from sqlite://x", &[]).await;
    assert!(code == Some(1) && said.contains("for import alone"), "{said}");
    // A row of the last table that Postgres does not take: none of the others are there either.
    db_execute(&here, "UPDATE refresh_tokens SET created_at = 'never'").await;
    let (code, said) = import(&world, &here, &there).await;
    assert_eq!(code, Some(1), "{said}");
    for table in ["clients", "users", "grants", "refresh_tokens", "audit"] {
        assert_eq!(db_number(&there, &format!("SELECT count(*) FROM {table}")).await, 0, "{table}");
    }
    // Another version's.
    db_execute(&here, "INSERT INTO seaql_migrations VALUES ('m2099_newer', 1)").await;
    let (code, said) = import(&world, &here, &there).await;
    assert!(code == Some(1) && said.contains("of another version"), "{said}");
}
