//! People and their organizations: what a sign-in writes, who moves, what races leave behind, and
//! what is done for people who do not come by themselves.

use std::sync::Arc;

use gatehouse::attribution::people::{People, attribution_of};
use gatehouse::attribution::upkeep;
use gatehouse::clock::{Clock as _, Timestamp};
use gatehouse::domain::access_token::Profile;
use gatehouse::domain::organization::rules::Rules;
use gatehouse::domain::organization::{Attribution, Confidence, Lack, Source, Told};
use gatehouse::id::UserId;
use gatehouse::secret::SystemEntropy;
use gatehouse::server_secret::ServerSecret;
use gatehouse::store::people::history;
use gatehouse::store::{Store, StoreError};
use sea_orm::ConnectionTrait as _;
use serde_json::{Value, json};
use tokio::sync::Barrier;

use crate::support::answer::query;
use crate::support::database::{db_connect, db_dump_of, db_execute, db_number};
use crate::support::signed_in::{log_in, session};
use crate::support::{Backend, HOUR, Person, Tokens, World, on_both};

/// Somebody of whom the provider tells an address alone.
fn with_address(name: &str, email: &str, verified: Value) -> Person {
    let person = Person::named(name).with("email", json!(email)).with("email_verified", verified);
    person.with("org_id", Value::Null).with("org_name", Value::Null)
}

/// Signs somebody in with a new browser; who that is.
async fn sign_in(world: &World, person: &Person) -> UserId {
    let mut browser = world.browser();
    let account = format!("{}/account", world.url);
    assert_eq!(log_in(world, &mut browser, person, &account).await.location(), account);
    let known = session(world, &mut browser).await;
    UserId::parse(known["sub"].as_str().unwrap()).unwrap()
}

async fn known(world: &World, user: UserId) -> Attribution {
    let store = Store::connect(&world.database_url).await.unwrap();
    attribution_of(store.read(), user).await.unwrap().expect("they signed in")
}

/// The key of the organization they belong to, or why there is none.
async fn key_of(world: &World, user: UserId) -> String {
    let known = known(world, user).await;
    match (known.organization, known.lack) {
        (Some(organization), None) => organization.key,
        (None, Some(lack)) => lack.name().to_owned(),
        both => panic!("{both:?}"),
    }
}

async fn rows(world: &World) -> (i64, i64, i64) {
    let count = async |sql: &str| db_number(&world.database_url, sql).await;
    (
        count("SELECT count(*) FROM organizations").await,
        count("SELECT count(*) FROM memberships").await,
        count("SELECT count(*) FROM memberships WHERE ended_at IS NULL").await,
    )
}

on_both! {
    async fn a_sign_in_says_where_the_person_belongs_and_how_that_is_known(backend: Backend) {
        let world = World::start(backend).await;
        let issuer = world.auth0.issuer();
        let claimed = known(&world, sign_in(&world, &Person::named("alice")).await).await;
        let organization = claimed.organization.unwrap();
        assert_eq!(organization.key, format!("provider:{issuer}|org_1"));
        assert_eq!((organization.name.as_str(), organization.domain), ("example-inc", None));
        assert_eq!(organization.source, Source::Provider);
        assert_eq!(organization.since, claimed.first_login_at);
        assert_eq!(claimed.email_domain.as_deref(), Some("example.com"));
        for (name, email, verified, confidence) in [
            ("bob", "bob@Mail.EXAMPLE.co.uk", json!(true), Confidence::High),
            ("carol", "carol@example.co.uk", Value::Null, Confidence::Low),
            ("dave", "dave@example.co.uk", json!(false), Confidence::Low),
        ] {
            let user = sign_in(&world, &with_address(name, email, verified)).await;
            let organization = known(&world, user).await.organization.unwrap();
            assert_eq!(organization.key, "domain:example.co.uk");
            assert_eq!(organization.domain.as_deref(), Some("example.co.uk"));
            assert_eq!((organization.source, organization.confidence),
                (Source::EmailDomain, confidence), "{name}");
        }
        for (name, email, lack) in [
            ("erin", "erin@gmail.com", Lack::FreeMail),
            ("frank", "frank@mailinator.com", Lack::Disposable),
            ("grace", "grace@corp.local", Lack::Unknown),
        ] {
            let user = sign_in(&world, &with_address(name, email, json!(true))).await;
            let known = known(&world, user).await;
            assert_eq!((known.organization, known.lack), (None, Some(lack)), "{name}");
        }
        assert_eq!(rows(&world).await, (2, 7, 7));
    }

    async fn both_ways_to_sign_in_lead_to_the_same_person_and_organization(backend: Backend) {
        let world = World::start(backend).await;
        let tokens = world.client("editor").await.signed_in(&world, "alice").await;
        let by_browser = sign_in(&world, &Person::named("alice")).await;
        assert_eq!(tokens.claims()["sub"], by_browser.to_string());
        assert_eq!(rows(&world).await, (1, 1, 1));
    }

    async fn the_person_is_told_their_organization_and_where_it_is_known_from(backend: Backend) {
        let world = World::start(backend).await;
        let client = world.client("editor").await;
        for (person, name, source) in [
            (Person::named("alice"), "example-inc", "from your sign-in provider"),
            (
                with_address("bob", "bob@münchen.de", json!(true)),
                "münchen.de",
                "from your e-mail domain",
            ),
            (
                with_address("carol", "carol@example.org", Value::Null),
                "example.org",
                "from your e-mail domain, not verified",
            ),
        ] {
            let mut browser = world.browser();
            let scope = [("scope", "docs:read profile")];
            let end = client.walk(&world, &mut browser, &person, &scope).await;
            let tokens = Tokens::of(&client.exchange(&query(&end, "code").unwrap()).await);
            let mcp = world.mcp(&tokens.access_token);
            let answer = mcp.tool("whoami", json!({})).await.expect(200).json();
            let told = &answer["result"]["structuredContent"];
            assert_eq!(told["organization"], name);
            assert_eq!(told["organization_source"], source);
            let account = format!("{}/account", world.url);
            log_in(&world, &mut browser, &person, &account).await.expect(303);
            let page = browser.get(&account).await.expect(200).body;
            assert!(page.contains(name) && page.contains(&format!("({source})")), "{page}");
            assert_eq!(session(&world, &mut browser).await["organization"], name);
        }
        let mut browser = world.browser();
        let account = format!("{}/account", world.url);
        let person = with_address("erin", "erin@gmail.com", json!(true));
        log_in(&world, &mut browser, &person, &account).await.expect(303);
        let page = browser.get(&account).await.expect(200).body;
        assert!(page.contains("your address is with a free or disposable mail provider"), "{page}");
        assert!(session(&world, &mut browser).await.get("organization").is_none());
    }

    async fn signing_in_again_writes_nothing_of_it(backend: Backend) {
        let world = World::start(backend).await;
        let alice = Person::named("alice");
        let user = sign_in(&world, &alice).await;
        let dump = async |table: &'static str| db_dump_of(&world.database_url, table).await;
        let before = (dump("organizations").await, dump("memberships").await);
        world.advance(HOUR);
        for _ in 0..3 {
            assert_eq!(sign_in(&world, &alice).await, user);
        }
        assert!(before == (dump("organizations").await, dump("memberships").await));
        assert!(known(&world, user).await.last_login_at > known(&world, user).await.first_login_at);
        // A new name of the organization reaches its row, and no name does not.
        sign_in(&world, &alice.clone().with("org_name", json!("Example Incorporated"))).await;
        sign_in(&world, &alice.with("org_name", Value::Null)).await;
        let organization = known(&world, user).await.organization.unwrap();
        assert_eq!(organization.name, "Example Incorporated");
        assert_eq!(rows(&world).await, (1, 1, 1));
    }

    async fn who_moves_keeps_their_history(backend: Backend) {
        let world = World::start(backend).await;
        let mut user = None;
        let places = ["bob@example.com", "bob@example.org", "bob@gmail.com", "bob@example.com"];
        for email in places {
            user = Some(sign_in(&world, &with_address("bob", email, json!(true))).await);
            world.advance(HOUR);
        }
        let user = user.unwrap();
        assert_eq!(rows(&world).await, (2, 4, 1));
        let store = Store::connect(&world.database_url).await.unwrap();
        let past = history(store.read(), user).await.unwrap();
        let keys: Vec<_> = past.iter().map(|it| match &it.organization {
            Ok(organization) => organization.key.as_str(),
            Err(lack) => lack.name(),
        }).collect();
        let expected = ["domain:example.com", "free_mail", "domain:example.org",
            "domain:example.com"];
        assert_eq!(keys, expected);
        assert_eq!(past[0].ended_at, None);
        for pair in past.windows(2) {
            assert_eq!(pair[1].ended_at, Some(pair[0].began_at));
        }
    }

    async fn a_changed_setting_is_applied_at_the_next_sign_in(backend: Backend) {
        let mut world = World::start(backend).await;
        let bob = with_address("bob", "bob@example.net", Value::Null);
        let user = sign_in(&world, &bob).await;
        assert_eq!(key_of(&world, user).await, "domain:example.net");
        world.restart(&[("trust_unverified_email", "samlp|acme,auth0")]).await;
        assert_eq!(known(&world, user).await.organization.unwrap().confidence, Confidence::Low);
        sign_in(&world, &bob).await;
        let trusted = known(&world, user).await.organization.unwrap();
        assert_eq!(trusted.confidence, Confidence::Medium);
        // Known better, and nobody has moved.
        assert_eq!(rows(&world).await, (1, 1, 1));
        world.restart(&[("same_organization", "example.net=example.com")]).await;
        sign_in(&world, &bob).await;
        assert_eq!(key_of(&world, user).await, "domain:example.com");
        assert_eq!(rows(&world).await, (2, 2, 1));
        let ring = [("same_organization", "example.net=example.com,example.com=example.net")];
        let refused = world.house_with(&ring).await.map(|_| ()).unwrap_err().to_string();
        assert!(refused.starts_with("same_organization: "), "{refused}");
    }

    async fn a_trusted_connection_passes_where_a_work_address_is_required(backend: Backend) {
        let mut world = World::with(backend, &[("require_work_email", "true")]).await;
        let bob = with_address("bob", "bob@example.net", json!(false));
        let account = format!("{}/account", world.url);
        log_in(&world, &mut world.browser(), &bob, &account).await.expect(403);
        world.restart(&[("trust_unverified_email", "auth0")]).await;
        sign_in(&world, &bob).await;
        let erin = with_address("erin", "erin@gmail.com", json!(true));
        log_in(&world, &mut world.browser(), &erin, &account).await.expect(403);
    }

    async fn first_sign_ins_at_once_end_in_one_organization(backend: Backend) {
        let world = World::start(backend).await;
        let account = format!("{}/account", world.url);
        let mut coming = Vec::new();
        for number in 0..8 {
            // Four people, each in two browsers.
            let person = with_address(&format!("p{}", number / 2), "p@example.org", json!(true));
            let mut browser = world.browser();
            let url = crate::support::signed_in::login_url(&world, &account);
            let provider = browser.get(&url).await.location();
            coming.push((browser, world.auth0.log_in(&provider, &person)));
        }
        let coming: Vec<_> = coming.into_iter().map(|(mut browser, callback)| {
            tokio::spawn(async move { browser.get(&callback).await.status })
        }).collect();
        for one in coming {
            assert_eq!(one.await.unwrap(), 303);
        }
        assert_eq!(rows(&world).await, (1, 4, 4));
        assert_eq!(db_number(&world.database_url, "SELECT count(*) FROM users").await, 4);
    }

    async fn people_written_at_once_never_have_two_memberships(backend: Backend) {
        let folder = tempfile::tempdir().unwrap();
        let url = backend.fresh(folder.path()).await;
        let store = Store::connect(&url).await.unwrap();
        for round in 0..10 {
            let barrier = Arc::new(Barrier::new(8));
            let writers: Vec<_> = (0..8).map(|number| {
                let (store, barrier) = (store.clone(), Arc::clone(&barrier));
                tokio::spawn(async move {
                    barrier.wait().await;
                    // Two people; each has two addresses, at organizations that nobody knows yet.
                    let domain = format!("example-{round}-{}.com", number % 4 / 2);
                    write(&store, &format!("{round}-{}", number % 2), &domain).await
                })
            }).collect();
            for writer in writers {
                writer.await.unwrap().unwrap();
            }
        }
        assert_eq!(db_number(&url, "SELECT count(*) FROM users").await, 20);
        assert_eq!(db_number(&url, "SELECT count(*) FROM organizations").await, 20);
        let open = "SELECT count(*) FROM memberships WHERE ended_at IS NULL";
        assert_eq!(db_number(&url, open).await, 20);
    }

    async fn people_from_before_are_given_their_organization_once(backend: Backend) {
        let world = World::start(backend).await;
        let mut users = Vec::new();
        for (name, email) in [("bob", "bob@example.org"), ("carol", "c@example.org"),
            ("erin", "erin@gmail.com")] {
            users.push(sign_in(&world, &with_address(name, email, json!(true))).await);
        }
        users.push(sign_in(&world, &Person::named("alice")).await);
        let told = known(&world, users[0]).await;
        for sql in ["DELETE FROM memberships", "DELETE FROM organizations"] {
            db_execute(&world.database_url, sql).await;
        }
        let unknown = known(&world, users[0]).await;
        assert_eq!((unknown.organization, unknown.lack), (None, None));
        world.advance(HOUR);
        // Replicas clean up at once.
        let house = Arc::new(world.house_with(&[]).await.unwrap());
        let passes: Vec<_> = (0..4).map(|_| {
            let (house, now) = (Arc::clone(&house), world.clock.now());
            tokio::spawn(async move {
                let gatehouse = &house.gatehouse;
                upkeep::pass(&gatehouse.store, gatehouse.people(), now).await.unwrap().memberships
            })
        }).collect();
        let mut made = 0;
        for pass in passes {
            made += pass.await.unwrap();
        }
        assert_eq!(made, 4);
        assert_eq!(rows(&world).await, (2, 4, 4));
        let organization = known(&world, users[0]).await.organization.unwrap();
        assert_eq!(organization.key, told.organization.unwrap().key);
        // As of when the provider told it.
        assert_eq!(organization.since, told.last_login_at);
        assert_eq!(key_of(&world, users[2]).await, "free_mail");
        house.gatehouse.store.close().await;
    }

    async fn the_database_itself_refuses_a_second_open_membership(backend: Backend) {
        let world = World::start(backend).await;
        sign_in(&world, &Person::named("alice")).await;
        let fresh = match backend {
            Backend::Sqlite => "randomblob(16)",
            Backend::Postgres => "gen_random_uuid()",
        };
        let again = |columns: &str| format!(
            "INSERT INTO memberships (id, user_id, organization_id, source, confidence, began_at,
                 ended_at)
             SELECT {fresh}, user_id, {columns} FROM memberships"
        );
        for (columns, refused) in [
            ("organization_id, source, confidence, began_at, NULL", "unique"),
            ("NULL, source, NULL, began_at, began_at", "check"),
            ("NULL, 'free_mail', 'low', began_at, began_at", "check"),
            ("organization_id, 'free_mail', confidence, began_at, began_at", "check"),
            ("organization_id, 'guessed', confidence, began_at, began_at", "check"),
            ("organization_id, source, 'sure', began_at, began_at", "check"),
            ("organization_id, source, confidence, began_at, began_at - 1", "check"),
        ] {
            let connection = db_connect(&world.database_url).await;
            let error = connection.execute_unprepared(&again(columns)).await.unwrap_err();
            assert!(error.to_string().to_lowercase().contains(refused), "{columns}: {error}");
        }
        let ended = again("organization_id, source, confidence, began_at, began_at");
        db_execute(&world.database_url, &ended).await;
        // A person goes with their memberships.
        db_execute(&world.database_url, "DELETE FROM users").await;
        assert_eq!(rows(&world).await.1, 0);
    }
}

/// Writes a person as a sign-in does.
async fn write(store: &Store, subject: &str, domain: &str) -> Result<UserId, StoreError> {
    let secret = ServerSecret::new(vec![7; 32], None);
    let rules = Rules::default();
    let people = People { secret: &secret, rules: &rules, entropy: &SystemEntropy };
    let email = Some(format!("a@{domain}"));
    let profile = Profile { email, email_verified: Some(true), ..Profile::default() };
    let now = Timestamp::from_seconds(1_800_000_000);
    let told =
        Told { upstream_issuer: "https://e.com/", upstream_subject: subject, profile: &profile };
    let person = people.prepare(told, now)?;
    let txn = store.begin().await?;
    let user = person.write(&txn, now).await?;
    txn.commit().await?;
    Ok(user)
}
