//! The rows of limits: how replicas add to them, and when they go.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use gatehouse::clock::Timestamp;
use gatehouse::store::limit_windows::{self, BATCH_ROWS, Tally};
use gatehouse::store::{Store, StoreError, sweep};
use tokio::sync::Barrier;

use crate::support::database::db_number;
use crate::support::{Backend, HOUR, MINUTE, on_both};

const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);
const WINDOW: Duration = MINUTE;

const fn after(seconds: u64) -> Timestamp {
    Timestamp::from_millis(NOW.millis() + seconds.cast_signed() * 1000)
}

const fn tally(key: u8, began_at: Timestamp, used: u32) -> Tally {
    Tally { key_hash: [key; 32], began_at, used }
}

async fn open(backend: Backend, folder: &tempfile::TempDir) -> (Store, String) {
    let url = backend.fresh(folder.path()).await;
    (Store::connect(&url).await.unwrap(), url)
}

async fn add(store: &Store, tallies: Vec<Tally>, now: Timestamp) -> Result<Vec<Tally>, StoreError> {
    let txn = store.begin().await?;
    let sums = limit_windows::add(&txn, "limit_mcp", WINDOW, tallies, now).await?;
    txn.commit().await?;
    Ok(sums)
}

on_both! {
    async fn the_row_says_which_window_is_counted_in(backend: Backend) {
        let folder = tempfile::tempdir().unwrap();
        let (store, _) = open(backend, &folder).await;
        // The row that is there, and when it was written; what is told, and when; what is answered.
        for (key, (before, then, told, now, began_at, used)) in (0..).zip([
            // It lasts: it keeps its beginning, whichever came first.
            ((NOW, 5), NOW, (after(30), 2), after(59), NOW, 7),
            ((after(30), 5), after(30), (NOW, 2), after(59), after(30), 7),
            // It is over.
            ((NOW, 5), NOW, (after(60), 2), after(60), after(60), 2),
            ((NOW, 5), NOW, (after(500), 2), after(510), after(500), 2),
            // The next begins no sooner, although who tells began before.
            ((NOW, 5), NOW, (after(30), 2), after(70), after(60), 2),
            // Written by a clock that is a little ahead, and by one that has been wrong.
            ((after(60), 5), after(60), (NOW, 2), NOW, after(60), 7),
            ((after(61), 5), after(61), (NOW, 2), NOW, NOW, 2),
        ]) {
            let first = vec![tally(key, before.0, before.1)];
            assert_eq!(add(&store, first.clone(), then).await.unwrap(), first);
            let sums = add(&store, vec![tally(key, told.0, told.1)], now).await.unwrap();
            assert_eq!(sums, [tally(key, began_at, used)], "{before:?} {told:?}");
        }
    }

    async fn a_batch_is_one_statement_for_many(backend: Backend) {
        let folder = tempfile::tempdir().unwrap();
        let (store, url) = open(backend, &folder).await;
        let batch = || -> Vec<_> {
            (0..u8::try_from(BATCH_ROWS).unwrap()).map(|key| tally(key, NOW, key.into()))
                .map(|tally| Tally { used: tally.used + 1, ..tally }).collect()
        };
        add(&store, batch(), NOW).await.unwrap();
        let sums = add(&store, batch(), NOW).await.unwrap();
        let sums: HashMap<_, _> = sums.into_iter().map(|sum| (sum.key_hash, sum.used)).collect();
        assert_eq!(sums.len(), BATCH_ROWS);
        for told in batch() {
            assert_eq!(sums[&told.key_hash], 2 * told.used);
        }
        let names = "SELECT count(*) FROM limit_windows WHERE limit_name = 'limit_mcp'";
        assert_eq!(db_number(&url, names).await, i64::try_from(BATCH_ROWS).unwrap());
    }

    async fn replicas_that_settle_the_same_callers_at_once_lose_nothing(backend: Backend) {
        const REPLICAS: u32 = 6;
        const ROUNDS: u32 = 20;
        let folder = tempfile::tempdir().unwrap();
        let (_, url) = open(backend, &folder).await;
        let together = Arc::new(Barrier::new(REPLICAS as usize));
        let replicas: Vec<_> = (0..REPLICAS).map(|replica| {
            let (url, together) = (url.clone(), Arc::clone(&together));
            tokio::spawn(async move {
                let store = Store::connect(&url).await.unwrap();
                for _ in 0..ROUNDS {
                    // Each lists them in an order of its own, which must not make any two of them
                    // wait for each other.
                    let mut tallies: Vec<_> = (0..100).map(|key| tally(key, NOW, 1)).collect();
                    tallies.rotate_left(usize::try_from(replica).unwrap() * 16);
                    if replica % 2 == 1 {
                        tallies.reverse();
                    }
                    together.wait().await;
                    add(&store, tallies, NOW).await.unwrap();
                }
            })
        }).collect();
        for replica in replicas {
            replica.await.unwrap();
        }
        for sum in ["min(used)", "max(used)"] {
            let sum = format!("SELECT {sum} FROM limit_windows");
            assert_eq!(db_number(&url, &sum).await, i64::from(REPLICAS * ROUNDS));
        }
    }

    async fn a_row_goes_when_no_replica_can_need_it(backend: Backend) {
        let folder = tempfile::tempdir().unwrap();
        let (store, _) = open(backend, &folder).await;
        add(&store, vec![tally(1, NOW, 3), tally(2, after(60), 3)], after(60)).await.unwrap();
        // The first is over since a while, and still says when the next may begin.
        for (now, gone) in [(after(119), 0), (after(120), 1), (after(179), 0), (after(180), 1)] {
            let swept = sweep::pass(&store, HOUR, now).await.unwrap();
            assert_eq!(swept.limit_windows, gone, "{now}");
        }
    }

    async fn the_longest_of_windows_can_be_settled(backend: Backend) {
        let folder = tempfile::tempdir().unwrap();
        let (store, _) = open(backend, &folder).await;
        for expected in [1, 2] {
            let txn = store.begin().await.unwrap();
            let told = vec![tally(1, NOW, 1)];
            let sums = limit_windows::add(&txn, "limit_mcp", Duration::MAX, told, NOW).await;
            txn.commit().await.unwrap();
            assert_eq!(sums.unwrap(), [tally(1, NOW, expected)]);
        }
    }
}
