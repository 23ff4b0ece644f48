//! Replicas take turns at what one of them is enough for.
//!
//! The turn is a lease in the database (`store::leases`). Whoever has it renews it while the work
//! goes on, and gives it up some time after; a replica that is killed blocks the others for
//! [`HELD_FOR`] and no longer.

use std::future::Future;
use std::time::Duration;

use crate::flow::{Gatehouse, chain};
use crate::id::LeaseHolderId;
use crate::store::{Consumed, StoreError, leases};

/// What the turn is at.
const NAME: &str = "upkeep";

/// How long a turn lasts that nobody renews.
pub const HELD_FOR: Duration = Duration::from_mins(3);

/// How often it is renewed.
const RENEWED_EVERY: Duration = Duration::from_mins(1);

/// From its beginning, how long a turn keeps the others from the next: a little less than their
/// timers take.
pub const TURN: Duration = Duration::from_mins(9);

/// Does the work, unless another replica is at it or has just done it.
pub async fn in_turn(
    gatehouse: &Gatehouse,
    work: impl Future<Output = ()>,
) -> Result<(), StoreError> {
    let Gatehouse { store, clock, entropy, .. } = gatehouse;
    let began = clock.now();
    let holder = LeaseHolderId::generate(&**entropy, began);
    let lease = (began, began.plus(HELD_FOR));
    if leases::take(store, NAME, holder, lease).await? == Consumed::BySomeoneElse {
        tracing::debug!("another replica has the turn");
        return Ok(());
    }
    tokio::select! {
        () = work => {}
        () = renew(gatehouse, holder) => {
            tracing::warn!("the turn was lost: another replica goes on");
            return Ok(());
        }
    }
    leases::hold(store, NAME, holder, began.plus(TURN)).await.map(|_| ())
}

/// Keeps the turn until it is lost.
async fn renew(gatehouse: &Gatehouse, holder: LeaseHolderId) {
    let mut ticks = tokio::time::interval(RENEWED_EVERY);
    // The first tick is at once.
    ticks.tick().await;
    loop {
        ticks.tick().await;
        let until = gatehouse.clock.now().plus(HELD_FOR);
        match leases::hold(&gatehouse.store, NAME, holder, until).await {
            Ok(Consumed::ByUs) => {}
            Ok(Consumed::BySomeoneElse) => return,
            Err(error) => {
                tracing::warn!(error = %chain(&error), "the turn could not be renewed");
            }
        }
    }
}
