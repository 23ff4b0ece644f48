//! Signing keys follow one another, and nobody who is at work notices.

use std::collections::{BTreeSet, HashSet};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use gatehouse::clock::{Clock, SteppedClock, Timestamp};
use gatehouse::domain::key_rotation::{PUBLISHED_AHEAD, PUBLISHED_KEPT, RETIRED_AFTER};
use gatehouse::flow::key_rotation::pass;
use serde_json::Value;

use crate::support::database::{db_execute, db_number};
use crate::support::process::run;
use crate::support::{
    Answer, Backend, DAY, McpClient, OAuthClient, SECOND, Tokens, World, on_both,
};

const WALKERS: usize = 3;
/// How the time passes for them; houses are kept as often.
const STEP: std::time::Duration = std::time::Duration::from_mins(15);

/// More than what lies between two readings of the keys at least.
const READ_AGAIN: std::time::Duration = std::time::Duration::from_secs(6);

/// What all walkers share.
struct Walk {
    clock: Arc<SteppedClock>,
    laps: [AtomicUsize; WALKERS],
    is_over: AtomicBool,
    /// The keys that signed their tokens.
    kids: Mutex<BTreeSet<String>>,
}

fn kid_of(token: &str) -> String {
    let head = URL_SAFE_NO_PAD.decode(token.split('.').next().unwrap()).unwrap();
    let head: Value = serde_json::from_slice(&head).unwrap();
    head["kid"].as_str().unwrap().to_owned()
}

async fn published(client: &OAuthClient) -> Answer {
    Answer::to(client.http.get(format!("{}/.well-known/jwks.json", client.url))).await.expect(200)
}

fn kids_of(jwks: &Answer) -> HashSet<String> {
    let keys = jwks.json()["keys"].as_array().unwrap().clone();
    keys.iter().map(|key| key["kid"].as_str().unwrap().to_owned()).collect()
}

/// Refreshes at one replica after the other, and calls both with each token. Who verifies by the
/// published keys keeps them for as long as the answer allows.
async fn walk(
    walk: Arc<Walk>,
    number: usize,
    replicas: [OAuthClient; 2],
    (mcp, mut tokens): (McpClient, Tokens),
) {
    let mut kept: (Option<Timestamp>, HashSet<String>) = (None, HashSet::new());
    while !walk.is_over.load(Ordering::SeqCst) {
        let lap = walk.laps[number].load(Ordering::SeqCst);
        let now = walk.clock.now();
        if !kept.0.is_some_and(|read_at| now.is_within(read_at, PUBLISHED_KEPT)) {
            kept = (Some(now), kids_of(&published(&replicas[lap % 2]).await));
        }
        tokens = Tokens::of(&replicas[lap % 2].refresh(tokens.refresh_token()).await);
        let kid = kid_of(&tokens.access_token);
        assert!(kept.1.contains(&kid), "a token is signed by a key that few can know");
        for replica in &replicas {
            let mcp = mcp.clone().with_token(&tokens.access_token).at(&replica.url);
            mcp.ping().await.expect(200);
        }
        walk.kids.lock().unwrap().insert(kid);
        walk.laps[number].fetch_add(1, Ordering::SeqCst);
    }
}

impl Walk {
    /// Returns when each walker has gone a whole lap, or one has failed.
    async fn lap(&self, walkers: &[tokio::task::JoinHandle<()>]) {
        let laps = || self.laps.each_ref().map(|laps| laps.load(Ordering::SeqCst));
        let before = laps();
        // The one under way began before, so two.
        while laps().iter().zip(before).any(|(laps, before)| *laps < before + 2)
            && !walkers.iter().any(tokio::task::JoinHandle::is_finished)
        {
            tokio::task::yield_now().await;
        }
    }
}

/// The clock of a process that stands still for a day after it has looked at it once.
struct Paused {
    before: Timestamp,
    is_read: AtomicBool,
}

impl Clock for Paused {
    fn now(&self) -> Timestamp {
        let is_read = self.is_read.swap(true, Ordering::SeqCst);
        if is_read { self.before.plus(DAY) } else { self.before }
    }
}

on_both! {
    async fn keys_follow_one_another_under_load_and_nobody_is_turned_away(backend: Backend) {
        let limits = [("limit_token", "1000000/1m"), ("limit_mcp", "1000000/1m")];
        let settings = [limits[0], limits[1], ("key_rotation", "2d")];
        let world = World::with(backend, &settings).await;
        let other = world.replica(&[]).await;
        world.advance(2 * DAY - STEP);
        world.keep_houses().await;
        let client = world.client("editor").await;
        let replicas = [client.clone(), client.at(&other)];
        let first = kids_of(&published(&client).await);
        assert_eq!(first.len(), 1);
        let shared = Arc::new(Walk {
            clock: Arc::clone(&world.clock),
            laps: Default::default(),
            is_over: AtomicBool::new(false),
            kids: Mutex::default(),
        });
        let mut walkers = Vec::new();
        for number in 0..WALKERS {
            let tokens = client.signed_in(&world, &format!("person{number}")).await;
            let with = (world.mcp(&tokens.access_token), tokens);
            walkers.push(tokio::spawn(walk(Arc::clone(&shared), number, replicas.clone(), with)));
        }
        let mut ever = Vec::new();
        let all = STEP + PUBLISHED_AHEAD + RETIRED_AFTER + STEP;
        for _ in 0..all.as_secs().div_ceil(STEP.as_secs()) {
            world.advance(STEP);
            world.keep_houses().await;
            // They read the keys more often than that: who did not have the turn hears of it soon.
            world.advance(READ_AGAIN);
            world.keep_houses().await;
            shared.lap(&walkers).await;
            ever.push(kids_of(&published(&replicas[1]).await));
        }
        shared.is_over.store(true, Ordering::SeqCst);
        for walker in walkers {
            walker.await.unwrap();
        }
        // Both were published while one signed, then the other; and in the end only the second.
        assert_eq!(shared.kids.lock().unwrap().len(), 2);
        let both = ever.iter().filter(|kids| kids.len() == 2).count() as u64;
        let steps = (PUBLISHED_AHEAD + RETIRED_AFTER).as_secs() / STEP.as_secs();
        // A step is a little longer than it says.
        assert!((steps - 1..=steps + 1).contains(&both), "{both} of {steps}");
        let last = ever.last().unwrap();
        assert!(last.len() == 1 && last.is_disjoint(&first), "{last:?}");
        assert_eq!(kids_of(&published(&client).await), *last);
    }

    async fn of_replicas_that_rotate_at_once_one_does(backend: Backend) {
        let world = Arc::new(World::with(backend, &[("key_rotation", "1d")]).await);
        let keys = "SELECT count(*) FROM signing_keys";
        for rotated in 1..=3 {
            world.advance(DAY + PUBLISHED_AHEAD);
            let passes: Vec<_> = (0..4).map(|_| {
                let world = Arc::clone(&world);
                tokio::spawn(async move {
                    let gatehouse = world.house_with(&[]).await.unwrap().gatehouse;
                    let (store, config) = (&gatehouse.store, &gatehouse.config);
                    let (entropy, clock) = (&*gatehouse.entropy, &*world.clock);
                    let passed = pass(store, config, entropy, clock).await;
                    let published = passed.unwrap().published;
                    store.close().await;
                    published
                })
            }).collect();
            let mut published = 0;
            for pass in passes {
                published += pass.await.unwrap();
            }
            assert_eq!(published, 1);
            assert_eq!(db_number(&world.database_url, keys).await, rotated + 1);
            let told = "SELECT count(*) FROM audit
                WHERE kind = 'signing_key_published' AND actor = 'server'";
            assert_eq!(db_number(&world.database_url, told).await, rotated);
        }
    }

    async fn who_is_paused_while_it_makes_a_key_publishes_it_ahead_all_the_same(backend: Backend) {
        let world = World::with(backend, &[("key_rotation", "1d")]).await;
        world.advance(DAY);
        let house = world.house_with(&[]).await.unwrap().gatehouse;
        let paused = Paused { before: world.clock.now(), is_read: AtomicBool::new(false) };
        let (store, config, entropy) = (&house.store, &house.config, &*house.entropy);
        let passed = pass(store, config, entropy, &paused).await;
        assert_eq!(passed.unwrap().published, 1);
        let signs_from = "SELECT max(signs_from) FROM signing_keys";
        let signs_from = db_number(&world.database_url, signs_from).await;
        let expected = paused.now().plus(PUBLISHED_AHEAD);
        assert_eq!(signs_from, expected.millis());
        store.close().await;
    }

    async fn a_given_key_is_not_followed_and_none_means_never(backend: Backend) {
        let world = World::with(backend, &[("key_rotation", "none")]).await;
        world.advance(3650 * DAY);
        world.keep_houses().await;
        let keys = "SELECT count(*) FROM signing_keys";
        assert_eq!(db_number(&world.database_url, keys).await, 1);
    }

    async fn a_key_that_took_over_signs_without_anybody_reading_it_again(backend: Backend) {
        let world = World::with(backend, &[("key_rotation", "1d")]).await;
        let client = world.client("editor").await;
        world.advance(DAY);
        world.keep_houses().await;
        let tokens = client.signed_in(&world, "alice").await;
        let before = kid_of(&tokens.access_token);
        world.advance(PUBLISHED_AHEAD - SECOND);
        let tokens = Tokens::of(&client.refresh(tokens.refresh_token()).await);
        assert_eq!(kid_of(&tokens.access_token), before);
        world.advance(SECOND);
        let tokens = Tokens::of(&client.refresh(tokens.refresh_token()).await);
        assert_ne!(kid_of(&tokens.access_token), before);
        world.mcp(&tokens.access_token).ping().await.expect(200);
        let jwks = published(&client).await;
        let kept = format!("public, max-age={}", PUBLISHED_KEPT.as_secs());
        assert_eq!(jwks.header("cache-control"), Some(kept.as_str()));
    }

    async fn a_key_rotated_by_hand_is_published_and_signs_later(backend: Backend) {
        let world = World::start(backend).await;
        let folder = tempfile::tempdir().unwrap();
        // The program reads the clock of the machine, which is behind that of the story.
        db_execute(&world.database_url, "UPDATE signing_keys SET signs_from = 0").await;
        let settings = [("SIGNING_ALG", "ES256")];
        let (code, said) = run(&world, folder.path(), "keys rotate --json", &settings).await;
        assert_eq!(code, Some(0), "{said}");
        let keys: Value = serde_json::from_str(&said).unwrap();
        let states = |keys: &Value| -> Vec<String> {
            let keys = keys["keys"].as_array().unwrap().iter();
            keys.map(|key| key["state"].as_str().unwrap().to_owned()).collect()
        };
        assert_eq!(states(&keys), ["published", "signs"]);
        // Once is enough.
        let (code, _) = run(&world, folder.path(), "keys rotate", &settings).await;
        assert_eq!(code, Some(1));
        let (_, listed) = run(&world, folder.path(), "keys list --json", &settings).await;
        assert_eq!(listed, said);
        let told = "SELECT count(*) FROM audit
            WHERE kind = 'signing_key_published' AND actor = 'command'";
        assert_eq!(db_number(&world.database_url, told).await, 1);
        db_execute(&world.database_url, "UPDATE signing_keys SET signs_from = 1000
            WHERE signs_from > 0").await;
        let (_, said) = run(&world, folder.path(), "keys list --json", &settings).await;
        let keys: Value = serde_json::from_str(&said).unwrap();
        assert_eq!(states(&keys), ["signs", "verifies"]);
        assert_eq!(keys["keys"][1]["published_until"], "1970-01-02T01:00:01.000Z");
        // With a key of another secret no server could sign.
        let other = ("SECRET", "Hx4dHBsaGRgXFhUUExIREA8ODQwLCgkIBwYFBAMCAQA=");
        let (code, _) = run(&world, folder.path(), "keys rotate", &[settings[0], other]).await;
        assert_eq!(code, Some(1));
    }
}
