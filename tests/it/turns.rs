//! One replica at a time cleans up, and one that dies at it does not keep the others from it.

use gatehouse::cli::serve::keep_house;
use gatehouse::cli::turn::{HELD_FOR, TURN};
use gatehouse::clock::Clock as _;
use gatehouse::id::LeaseHolderId;
use gatehouse::store::{Consumed, Store, leases};

use crate::support::database::{db_execute, db_number};
use crate::support::{Backend, DAY, MINUTE, SECOND, World, on_both};

const REQUESTS: &str = "SELECT count(*) FROM authorization_requests";

/// A request that has expired long ago.
async fn expired_request(world: &World) {
    world.client("editor").await.approve(&mut world.browser(), &[]).await;
    let expire = "UPDATE authorization_requests SET expires_at = 0";
    db_execute(&world.database_url, expire).await;
    assert_eq!(db_number(&world.database_url, REQUESTS).await, 1);
}

on_both! {
    async fn a_replica_leaves_alone_what_another_has_just_done(backend: Backend) {
        let world = World::start(backend).await;
        let other = world.house_with(&[]).await.unwrap().gatehouse;
        world.keep_houses().await;
        expired_request(&world).await;
        world.advance(TURN - SECOND);
        keep_house(&other).await;
        assert_eq!(db_number(&world.database_url, REQUESTS).await, 1);
        world.advance(SECOND);
        keep_house(&other).await;
        assert_eq!(db_number(&world.database_url, REQUESTS).await, 0);
    }

    async fn a_replica_that_died_at_it_blocks_the_others_for_minutes_only(backend: Backend) {
        let world = World::start(backend).await;
        expired_request(&world).await;
        let store = Store::connect(&world.database_url).await.unwrap();
        let gatehouse = world.house_with(&[]).await.unwrap().gatehouse;
        let began = world.clock.now();
        let holder = |number| LeaseHolderId::from_uuid(uuid::Uuid::from_u128(number));
        let take = async |number, now: gatehouse::clock::Timestamp| {
            leases::take(&store, "upkeep", holder(number), (now, now.plus(HELD_FOR))).await.unwrap()
        };
        assert_eq!(take(1, began).await, Consumed::ByUs);
        assert_eq!(take(2, began).await, Consumed::BySomeoneElse);
        world.advance(HELD_FOR - SECOND);
        keep_house(&gatehouse).await;
        assert_eq!(db_number(&world.database_url, REQUESTS).await, 1);
        world.advance(SECOND);
        keep_house(&gatehouse).await;
        assert_eq!(db_number(&world.database_url, REQUESTS).await, 0);
        // Whoever comes back to a turn that it lost learns so.
        let until = world.clock.now().plus(MINUTE);
        let held = leases::hold(&store, "upkeep", holder(1), until).await.unwrap();
        assert_eq!(held, Consumed::BySomeoneElse);
        store.close().await;
    }

    async fn of_replicas_that_want_a_turn_at_once_one_gets_it(backend: Backend) {
        let world = World::start(backend).await;
        for round in 0..5 {
            world.advance(DAY);
            let now = world.clock.now();
            let takes: Vec<_> = (0..6).map(|number| {
                let url = world.database_url.clone();
                tokio::spawn(async move {
                    let store = Store::connect(&url).await.unwrap();
                    let holder = LeaseHolderId::from_uuid(uuid::Uuid::from_u128(number));
                    let term = (now, now.plus(HELD_FOR));
                    let taken = leases::take(&store, "upkeep", holder, term).await.unwrap();
                    store.close().await;
                    taken
                })
            }).collect();
            let mut taken = 0;
            for take in takes {
                taken += u32::from(take.await.unwrap() == Consumed::ByUs);
            }
            assert_eq!(taken, 1, "round {round}");
        }
    }
}
