//! A changed secret: nothing that is kept stays sealed under the one before.

use std::collections::BTreeSet;

use gatehouse::attribution::upkeep::{self, Left};
use gatehouse::clock::Clock as _;
use gatehouse::server_secret::{ServerSecret, decode_server_secret};
use gatehouse::store::sealed::Sealed;
use gatehouse::store::sweep;
use serde_json::json;

use crate::support::database::{db_columns_like, db_number};
use crate::support::sinks::{SECRETS, sink};
use crate::support::world::SERVER_SECRET;
use crate::support::{Backend, DAY, HOUR, Receiver, Tokens, World, on_both};

const NEW_SECRET: &str = "Hx4dHBsaGRgXFhUUExIREA8ODQwLCgkIBwYFBAMCAQA=";

/// What lives for minutes, and is deleted rather than sealed anew.
const SHORT_LIVED: [(&str, &str); 2] =
    [("authorization_requests", "client_state_sealed"), ("upstream_logins", "upstream_sealed")];

/// How many values of a column were sealed under a secret.
async fn sealed_under(world: &World, backend: Backend, column: (&str, &str), text: &str) -> i64 {
    let secret = ServerSecret::new(decode_server_secret(text).unwrap(), None);
    let mark = secret.seal_mark();
    let hexadecimal = mark.iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"));
    let literal = match backend {
        Backend::Sqlite => format!("x'{hexadecimal}'"),
        Backend::Postgres => format!("decode('{hexadecimal}', 'hex')"),
    };
    let (table, column) = column;
    let length = mark.len();
    let sql =
        format!("SELECT count(*) FROM {table} WHERE substr({column}, 1, {length}) = {literal}");
    db_number(&world.database_url, &sql).await
}

/// Something in every column that is sealed.
async fn fill(world: &World) -> Tokens {
    let client = world.client("editor").await;
    let changes = [("state", "secret-state"), ("scope", "docs:read docs:feedback")];
    let tokens = client.signed_in_with(world, "alice", &changes).await;
    let mcp = world.mcp(&tokens.access_token);
    let arguments = json!({"query": "how do I install it", "context": "They evaluate it."});
    mcp.tool("search_docs", arguments).await.expect(200);
    let arguments = json!({"feedback": "my private words", "category": "bug"});
    mcp.tool("submit_documentation_feedback", arguments).await.expect(200);
    world.count_usage().await.unwrap();
    world.deliver().await.unwrap();
    client.approve(&mut world.browser(), &changes).await;
    tokens
}

on_both! {
    async fn nothing_that_is_kept_stays_sealed_under_the_old_secret(backend: Backend) {
        let receiver = Receiver::start().await;
        let file = sink("one", &receiver.url(), "\"person.sign_in\"", "\"email\"", "");
        let settings = [
            ("keep_queries", "true"),
            ("ask_context", "true"),
            // Nobody is there: what is queued for it waits.
            ("feedback", "kind=form,url=http://127.0.0.1:9/form"),
        ];
        let mut world = World::with_file(backend, &settings, &file, &SECRETS).await;
        let tokens = fill(&world).await;

        // Every column there is, so that a new one is not forgotten.
        let columns: BTreeSet<_> =
            db_columns_like(&world.database_url, "_sealed").await.into_iter().collect();
        let resealed = Sealed::ALL.map(|kind| (kind.table(), kind.column()));
        let known = resealed.iter().chain(&SHORT_LIVED);
        let known: BTreeSet<_> = known.map(|&(t, c)| (t.to_owned(), c.to_owned())).collect();
        assert_eq!(columns, known, "add it to store::sealed");
        for (table, column) in &columns {
            let made = sealed_under(&world, backend, (table, column), SERVER_SECRET).await;
            assert!(made > 0, "the story puts nothing into {table}.{column}");
        }

        world.restart(&[("secret", NEW_SECRET), ("secret_previous", SERVER_SECRET)]).await;
        // Nobody is signed out.
        world.mcp(&tokens.access_token).ping().await.expect(200);
        let gatehouse = world.house_with(&[]).await.unwrap().gatehouse;
        world.advance(DAY);
        let now = world.clock.now();
        let kept = upkeep::pass(&gatehouse.store, gatehouse.people(), now).await.unwrap();
        assert_eq!(kept.left, Left::default());
        sweep::pass(&gatehouse.store, HOUR, now).await.unwrap();
        gatehouse.store.close().await;
        for (table, column) in &columns {
            let left = sealed_under(&world, backend, (table, column), SERVER_SECRET).await;
            assert_eq!(left, 0, "{table}.{column}");
        }
        for column in resealed {
            assert!(sealed_under(&world, backend, column, NEW_SECRET).await > 0, "{column:?}");
        }
        world.restart(&[("secret_previous", "")]).await;
        let client = world.client("editor").await;
        client.signed_in(&world, "alice").await;
    }
}
