//! Migrations: up, down, up again; several replicas at once; the clean-up pass.

use gatehouse::clock::{Clock as _, Timestamp};
use gatehouse::store::{Store, schema, sweep};

use sea_orm::{ConnectionTrait, DbBackend, Statement};

use crate::support::database::{db_connect, db_execute, db_number};
use crate::support::{Backend, DAY, HOUR, MINUTE, SECOND, Tokens, World, on_both};

on_both! {
    async fn every_migration_goes_up_down_and_up_again(backend: Backend) {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::connect(&backend.empty(folder.path()).await).await.unwrap();
        schema::up(&store).await.unwrap();
        let count = schema::status(&store).await.unwrap().len();
        for applied in (0..count).rev() {
            schema::down(&store).await.unwrap();
            let status = schema::status(&store).await.unwrap();
            assert_eq!(status.iter().filter(|(_, is_applied)| *is_applied).count(), applied);
        }
        schema::up(&store).await.unwrap();
        assert!(schema::status(&store).await.unwrap().iter().all(|(_, applied)| *applied));
    }

    async fn replicas_that_start_at_once_migrate_once(backend: Backend) {
        let folder = tempfile::tempdir().unwrap();
        let url = backend.empty(folder.path()).await;
        let starts: Vec<_> = (0..4).map(|_| {
            let url = url.clone();
            tokio::spawn(async move {
                let store = Store::connect(&url).await.unwrap();
                schema::up(&store).await
            })
        }).collect();
        for start in starts {
            start.await.unwrap().unwrap();
        }
        let applied = db_number(&url, "SELECT count(*) FROM seaql_migrations").await;
        let store = Store::connect(&url).await.unwrap();
        let known = schema::status(&store).await.unwrap();
        assert_eq!(usize::try_from(applied).unwrap(), known.len());
    }

    async fn replicas_that_start_at_once_agree_on_one_signing_key(backend: Backend) {
        let world = std::sync::Arc::new(World::start(backend).await);
        for _ in 0..5 {
            db_execute(&world.database_url, "DELETE FROM signing_keys").await;
            let starts: Vec<_> = (0..6).map(|_| {
                let world = std::sync::Arc::clone(&world);
                tokio::spawn(async move { world.house_with(&[]).await.unwrap() })
            }).collect();
            let mut keys = std::collections::HashSet::new();
            for start in starts {
                let house = start.await.unwrap();
                let published = house.gatehouse.keyring.public_jwks();
                keys.insert(serde_json::to_string(&published).unwrap());
                house.gatehouse.store.close().await;
            }
            assert_eq!(keys.len(), 1, "{keys:?}");
        }
    }

    async fn a_database_sealed_under_another_secret_is_not_served(backend: Backend) {
        let world = World::start(backend).await;
        let other = "Hx4dHBsaGRgXFhUUExIREA8ODQwLCgkIBwYFBAMCAQA=";
        let refused = world.house_with(&[("secret", other)]).await.map(|_| ());
        let message = refused.unwrap_err().to_string();
        assert!(message.starts_with("secret: "), "{message}");
    }

    async fn the_database_itself_refuses_a_second_live_token_and_a_second_grant(backend: Backend) {
        let world = World::start(backend).await;
        let client = world.client("editor").await;
        client.signed_in(&world, "alice").await;
        let store = Store::connect(&world.database_url).await.unwrap();
        drop(store);
        for sql in [
            "INSERT INTO refresh_tokens
             SELECT {fresh}, grant_id, generation + 1, {hash}, created_at, expires_at, NULL
             FROM refresh_tokens",
            "INSERT INTO grants
             SELECT {fresh}, authorization_code_id, user_id, client_id, scope, created_at,
                    expires_at, revoked_at, revoked_reason FROM grants",
        ] {
            let (fresh, hash) = match backend {
                Backend::Sqlite => ("randomblob(16)", "randomblob(32)"),
                Backend::Postgres => ("gen_random_uuid()", "decode(md5(random()::text), 'hex')"),
            };
            let sql = sql.replace("{fresh}", fresh).replace("{hash}", hash);
            let connection = db_connect(&world.database_url).await;
            let refused = connection.execute_unprepared(&sql).await;
            assert!(refused.unwrap_err().to_string().to_lowercase().contains("unique"), "{sql}");
        }
    }

    async fn a_pass_deletes_what_has_expired_and_nothing_that_lives(backend: Backend) {
        let world = World::start(backend).await;
        let client = world.client("editor").await;
        let unused = world.client("unused").await;
        let tokens = client.signed_in(&world, "alice").await;
        let rotated = Tokens::of(&client.refresh(tokens.refresh_token()).await);
        unused.approve(&mut world.browser(), &[]).await;
        let store = Store::connect(&world.database_url).await.unwrap();
        let pass = |now: Timestamp| { let store = store.clone(); async move {
            sweep::pass(&store, HOUR, now).await.unwrap()
        }};
        let nothing = pass(world.clock.now()).await;
        assert_eq!(nothing, sweep::Swept::default());

        world.advance(2 * DAY);
        let swept = pass(world.clock.now()).await;
        assert_eq!((swept.authorization_requests, swept.authorization_codes), (2, 1));
        assert_eq!((swept.refresh_tokens, swept.grants, swept.clients), (0, 0, 0));
        // The used token is still known, so its reuse still ends the family.
        let other = client.signed_in(&world, "alice").await;
        client.refresh(tokens.refresh_token()).await.expect_error(400, "invalid_grant");
        client.refresh(rotated.refresh_token()).await.expect_error(400, "invalid_grant");
        client.refresh(other.refresh_token()).await.expect(200);

        world.advance(89 * DAY);
        let swept = pass(world.clock.now()).await;
        assert_eq!((swept.refresh_tokens, swept.grants), (4, 2));
        assert_eq!(swept.clients, 1);
    }

    async fn a_grant_without_refresh_tokens_outlives_its_access_token(backend: Backend) {
        let world = World::with(backend, &[("access_token_ttl", "24h")]).await;
        let client = world.client("editor").await;
        let tokens = client.signed_in(&world, "alice").await;
        db_execute(&world.database_url, "DELETE FROM refresh_tokens").await;
        let store = Store::connect(&world.database_url).await.unwrap();
        world.advance(DAY - MINUTE);
        sweep::pass(&store, DAY, world.clock.now()).await.unwrap();
        world.mcp(&tokens.access_token).ping().await.expect(200);
        world.advance(MINUTE + SECOND);
        let swept = sweep::pass(&store, DAY, world.clock.now()).await.unwrap();
        assert_eq!(swept.grants, 1);
    }
}

#[tokio::test]
async fn a_session_sees_what_is_committed_whatever_the_server_prefers() {
    let folder = tempfile::tempdir().unwrap();
    let url = Backend::Postgres.fresh(folder.path()).await;
    let name = url.rsplit('/').next().unwrap();
    let prefer = "SET default_transaction_isolation = 'repeatable read'";
    db_execute(&url, &format!("ALTER DATABASE {name} {prefer}")).await;
    // It is the default now, for whoever says nothing.
    assert_eq!(isolation(&db_connect(&url).await).await, "repeatable read");
    let store = Store::connect(&url).await.unwrap();
    assert_eq!(isolation(store.read()).await, "read committed");
    assert_eq!(isolation(&store.begin().await.unwrap()).await, "read committed");
}

async fn isolation(connection: &impl ConnectionTrait) -> String {
    let statement = Statement::from_string(DbBackend::Postgres, "SHOW transaction_isolation");
    let row = connection.query_one_raw(statement).await.unwrap().unwrap();
    row.try_get_by_index(0).unwrap()
}
