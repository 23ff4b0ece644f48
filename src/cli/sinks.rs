//! `gatehouse sinks list|deliver`: what an operator does about letters that sinks have not taken.

use crate::cli::serve::open_migrated_store;
use crate::cli::{CommandError, block_on, say};
use crate::clock::{Clock as _, SystemClock, Timestamp};
use crate::config::Config;
use crate::domain::audit::{Actor, AuditKind};
use crate::flow::chain;
use crate::secret::SystemEntropy;
use crate::store::audit::{self, AuditRow};
use crate::store::{StoreError, Txn, outbox, transact};

/// Runs one of the actions.
pub fn run(config: Config, action: &str) -> Result<(), CommandError> {
    block_on(async {
        let store = open_migrated_store(&config.database_url).await?;
        if config.sinks.is_empty() {
            return Err(CommandError::new("sink: none is configured; add [[sink]] to the file"));
        }
        for sink in &config.sinks {
            let destination = sink.destination();
            if action == "deliver" {
                let now = SystemClock.now();
                let requeued = transact!(store, txn => {
                    requeue(txn, &destination, now).await
                });
                let requeued = requeued.map_err(fault)?;
                say(format!("{requeued:>8} queued again for {} that were given up", sink.name));
            } else {
                let counted = outbox::count(store.read(), &destination).await.map_err(fault)?;
                say(format!("{:>8} wait for {}", counted.waiting, sink.name));
                say(format!("{:>8} were given up", counted.failed));
            }
        }
        Ok(())
    })
}

/// Queues again what was given up for a receiver, and tells the audit log; the reason is whom it is
/// for.
pub async fn requeue(txn: &Txn, destination: &str, now: Timestamp) -> Result<u64, StoreError> {
    let queued = outbox::requeue_failed(txn, destination, now).await?;
    let kind = AuditKind::DeliveriesRequeued;
    let row = AuditRow::new(&SystemEntropy, kind, Actor::Command, now).because(destination);
    audit::write(txn, [row]).await?;
    Ok(queued)
}

fn fault(error: StoreError) -> CommandError {
    CommandError::new(format!("sink: {}", chain(&error)))
}
