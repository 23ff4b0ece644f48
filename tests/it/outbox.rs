//! The rows of what is handed on: queued once, claimed by one replica at a time, written down by
//! whoever holds the claim.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use gatehouse::clock::Timestamp;
use gatehouse::id::OutboxId;
use gatehouse::secret::SystemEntropy;
use gatehouse::store::outbox::{self, ClaimedParcel, NewParcel};
use gatehouse::store::{Consumed, Store, StoreError};
use tokio::sync::Barrier;
use uuid::Uuid;

use sea_orm::ConnectionTrait as _;

use crate::support::database::{db_connect, db_execute, db_number};
use crate::support::{Backend, MINUTE, on_both};

const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);
const LEASE: Duration = MINUTE;

fn after(duration: Duration) -> Timestamp {
    NOW.plus(duration)
}

async fn open(backend: Backend, folder: &tempfile::TempDir) -> (Store, String) {
    let url = backend.fresh(folder.path()).await;
    (Store::connect(&url).await.unwrap(), url)
}

async fn queue(store: &Store, destination: &str, key: u128, now: Timestamp) -> Consumed {
    let txn = store.begin().await.unwrap();
    let parcel = NewParcel {
        id: OutboxId::generate(&SystemEntropy, now),
        destination,
        kind: "test",
        idempotency_key: Uuid::from_u128(key),
        user_id: None,
        payload_sealed: vec![1, 2, 3],
    };
    let queued = outbox::enqueue(&txn, parcel, now).await.unwrap();
    txn.commit().await.unwrap();
    queued
}

async fn claim(store: &Store, now: Timestamp, rows: u32) -> Result<Vec<ClaimedParcel>, StoreError> {
    let txn = store.begin().await?;
    let claimed = outbox::claim(&txn, "here", now, now.plus(LEASE), rows).await?;
    txn.commit().await?;
    Ok(claimed)
}

fn keys(claimed: &[ClaimedParcel]) -> Vec<u128> {
    claimed.iter().map(|parcel| parcel.idempotency_key.as_u128()).collect()
}

on_both! {
    async fn an_event_is_queued_once_for_each_destination(backend: Backend) {
        let folder = tempfile::tempdir().unwrap();
        let (store, url) = open(backend, &folder).await;
        assert_eq!(queue(&store, "here", 1, NOW).await, Consumed::ByUs);
        assert_eq!(queue(&store, "here", 1, after(LEASE)).await, Consumed::BySomeoneElse);
        assert_eq!(queue(&store, "there", 1, NOW).await, Consumed::ByUs);
        assert_eq!(db_number(&url, "SELECT count(*) FROM outbox").await, 2);
        assert_eq!(keys(&claim(&store, NOW, 10).await.unwrap()), [1]);
    }

    async fn a_claim_is_a_lease_and_the_longest_waiting_come_first(backend: Backend) {
        let folder = tempfile::tempdir().unwrap();
        let (store, _) = open(backend, &folder).await;
        for (key, queued_at) in [(3, after(MINUTE)), (1, NOW), (2, after(MINUTE / 2))] {
            queue(&store, "here", key, queued_at).await;
        }
        assert_eq!(outbox::next_due(&store, "here").await.unwrap(), Some(NOW));
        assert_eq!(keys(&claim(&store, after(MINUTE / 2), 10).await.unwrap()), [1, 2]);
        let rest = claim(&store, after(MINUTE), 10).await.unwrap();
        assert_eq!((keys(&rest), rest[0].attempt), (vec![3], 1));
        assert_eq!(rest[0].payload_sealed, [1, 2, 3]);
        // Nobody wrote anything down: as after a kill, each is due again when its lease ends.
        let ends = after(MINUTE / 2).plus(LEASE);
        assert_eq!(outbox::next_due(&store, "here").await.unwrap(), Some(ends));
        assert_eq!(claim(&store, ends.minus(Duration::from_millis(1)), 10).await.unwrap(), []);
        let again = claim(&store, ends, 1).await.unwrap();
        assert_eq!((keys(&again), again[0].attempt), (vec![1], 2));
        assert_eq!(keys(&claim(&store, ends, 10).await.unwrap()), [2]);
    }

    async fn replicas_that_claim_at_once_share_and_never_have_the_same(backend: Backend) {
        const REPLICAS: usize = 6;
        const ROWS: u128 = 60;
        let folder = tempfile::tempdir().unwrap();
        let (store, url) = open(backend, &folder).await;
        for key in 0..ROWS {
            queue(&store, "here", key, NOW).await;
        }
        let together = Arc::new(Barrier::new(REPLICAS));
        let replicas: Vec<_> = (0..REPLICAS).map(|_| {
            let (url, together) = (url.clone(), Arc::clone(&together));
            tokio::spawn(async move {
                let store = Store::connect(&url).await.unwrap();
                let mut mine = Vec::new();
                for _ in 0..10 {
                    together.wait().await;
                    mine.extend(keys(&claim(&store, NOW, 3).await.unwrap()));
                }
                mine
            })
        }).collect();
        let mut all = Vec::new();
        for replica in replicas {
            all.extend(replica.await.unwrap());
        }
        let distinct: BTreeSet<_> = all.iter().copied().collect();
        assert_eq!(distinct.len(), all.len(), "{all:?}");
        assert_eq!(distinct, (0..ROWS).collect());
    }

    async fn only_the_claim_of_this_number_writes_down_a_failure(backend: Backend) {
        let folder = tempfile::tempdir().unwrap();
        let (store, _) = open(backend, &folder).await;
        queue(&store, "here", 1, NOW).await;
        let late = claim(&store, NOW, 1).await.unwrap().remove(0);
        let standing = || async {
            outbox::standing(store.read(), "here", Uuid::from_u128(1)).await.unwrap().unwrap()
        };
        let current = claim(&store, after(LEASE), 1).await.unwrap().remove(0);
        let txn = store.begin().await.unwrap();
        for outcome in [
            outbox::postponed(&txn, late.id, late.attempt, "late", NOW).await.unwrap(),
            outbox::given_up(&txn, late.id, late.attempt, "late", NOW).await.unwrap(),
        ] {
            assert_eq!(outcome, Consumed::BySomeoneElse);
        }
        let (id, attempt) = (current.id, current.attempt);
        let postponed = outbox::postponed(&txn, id, attempt, "status_503", after(2 * LEASE)).await;
        assert_eq!(postponed.unwrap(), Consumed::ByUs);
        txn.commit().await.unwrap();
        let seen = standing().await;
        assert_eq!((seen.attempts, seen.last_failure.as_deref()), (2, Some("status_503")));
        assert_eq!(seen.next_attempt_at, Some(after(2 * LEASE)));

        // A delivery is one, whoever tells of it.
        let txn = store.begin().await.unwrap();
        assert_eq!(outbox::delivered(&txn, late.id, NOW).await.unwrap(), Consumed::ByUs);
        assert_eq!(outbox::delivered(&txn, id, NOW).await.unwrap(), Consumed::BySomeoneElse);
        let postponed = outbox::postponed(&txn, id, attempt, "late", NOW).await.unwrap();
        assert_eq!(postponed, Consumed::BySomeoneElse);
        txn.commit().await.unwrap();
        let seen = standing().await;
        assert_eq!((seen.delivered_at, seen.next_attempt_at), (Some(NOW), None));
        assert_eq!(claim(&store, after(100 * LEASE), 10).await.unwrap(), []);
    }

    async fn what_was_given_up_is_kept_and_can_be_queued_anew(backend: Backend) {
        let folder = tempfile::tempdir().unwrap();
        let (store, _) = open(backend, &folder).await;
        queue(&store, "here", 1, NOW).await;
        let claimed = claim(&store, NOW, 1).await.unwrap().remove(0);
        let txn = store.begin().await.unwrap();
        let (id, attempt) = (claimed.id, claimed.attempt);
        let given_up = outbox::given_up(&txn, id, attempt, "status_404", NOW).await.unwrap();
        assert_eq!(given_up, Consumed::ByUs);
        txn.commit().await.unwrap();
        assert_eq!(outbox::next_due(&store, "here").await.unwrap(), None);
        assert_eq!(claim(&store, after(100 * LEASE), 10).await.unwrap(), []);

        let txn = store.begin().await.unwrap();
        assert_eq!(outbox::requeue_failed(&txn, "there", after(LEASE)).await.unwrap(), 0);
        assert_eq!(outbox::requeue_failed(&txn, "here", after(LEASE)).await.unwrap(), 1);
        txn.commit().await.unwrap();
        let again = claim(&store, after(LEASE), 1).await.unwrap().remove(0);
        assert_eq!((again.queued_at, again.attempt), (after(LEASE), 1));
        assert_eq!(again.payload_sealed, [1, 2, 3]);
    }

    async fn the_database_itself_refuses_rows_that_cannot_be(backend: Backend) {
        let folder = tempfile::tempdir().unwrap();
        let (store, url) = open(backend, &folder).await;
        queue(&store, "here", 1, NOW).await;
        for change in [
            // Delivered, and still waiting or still told.
            "delivered_at = 1",
            "delivered_at = 1, next_attempt_at = NULL",
            // Neither waiting nor ended; both ends; given up for no reason.
            "next_attempt_at = NULL",
            "delivered_at = 1, failed_at = 1, next_attempt_at = NULL, payload_sealed = NULL",
            "failed_at = 1, next_attempt_at = NULL",
            "payload_sealed = NULL",
            "attempts = -1",
        ] {
            let connection = db_connect(&url).await;
            let sql = format!("UPDATE outbox SET {change}");
            let refused = connection.execute_unprepared(&sql).await.unwrap_err();
            let refused = refused.to_string().to_lowercase();
            assert!(refused.contains("check"), "{change}: {refused}");
        }
        db_execute(&url, "UPDATE outbox SET delivered_at = 1, next_attempt_at = NULL,
            payload_sealed = NULL").await;
    }
}
