//! Settling: what this replica has counted is added to what all have, and the sum taken over.
//!
//! 1. Take those who wait, each by a name that tells nobody who they are.
//! 2. One write per limit and batch; none for nobody.
//! 3. Take the sums over. Whoever could not be settled waits on, counted here alone meanwhile.
//!
//! A write whose answer is lost is done again, and may then count twice: never is more allowed for
//! it. At the end all is told, below a lease too: whoever serves next does not begin anew.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::future::Future;
use std::net::IpAddr;
use std::pin::pin;
use std::time::Duration;

use crate::clock::Timestamp;
use crate::flow::limits::Counted;
use crate::flow::limits::counter::{Counter, Holder};
use crate::flow::limits::window::Share;
use crate::flow::{Gatehouse, chain};
use crate::server_secret::{Purpose, ServerSecret};
use crate::store::limit_windows::{self, BATCH_ROWS, Tally};
use crate::store::{StoreError, transact};

/// How long is waited after the database failed.
const PAUSE: Duration = Duration::from_secs(1);

/// Those who are settled at once, by the name they have in the database.
type Batch = BTreeMap<[u8; 32], (Holder, Share)>;

impl Gatehouse {
    /// Settles whenever somebody waits, until `ended` resolves, and then once what is open.
    pub async fn keep_limits_settled(&self, ended: impl Future<Output = ()> + Send) {
        let mut ended = pin!(ended);
        let mut is_failing = false;
        loop {
            tokio::select! {
                () = self.limits.wakeup.notified() => {}
                () = &mut ended => break,
            }
            match self.settle_limits().await {
                Ok(()) if is_failing => {
                    is_failing = false;
                    tracing::info!("limits are shared by replicas again");
                }
                Ok(()) => {}
                Err(error) => {
                    if !std::mem::replace(&mut is_failing, true) {
                        let error = chain(&error);
                        tracing::warn!(error, "limits are counted on this replica alone");
                    }
                    tokio::select! {
                        () = tokio::time::sleep(PAUSE) => {}
                        () = &mut ended => break,
                    }
                }
            }
        }
        if let Err(error) = self.settle_everything().await {
            tracing::warn!(error = %chain(&error), "what was counted last is not shared");
        }
    }

    /// Settles all who wait. Whoever is not settled by an error waits on.
    pub async fn settle_limits(&self) -> Result<(), StoreError> {
        let _settling = self.limits.settling.lock().await;
        for counter in &self.limits.all {
            self.settle_holders(counter, counter.take_waiting()).await?;
        }
        Ok(())
    }

    async fn settle_everything(&self) -> Result<(), StoreError> {
        self.settle_limits().await?;
        let _settling = self.limits.settling.lock().await;
        for counter in &self.limits.all {
            self.settle_holders(counter, counter.everybody()).await?;
        }
        Ok(())
    }

    async fn settle_holders(
        &self,
        counter: &Counter,
        holders: Vec<Holder>,
    ) -> Result<(), StoreError> {
        let now = self.clock.now();
        let mut holders = holders.into_iter();
        loop {
            let batch = next_batch(&self.config.secret, counter, &mut holders, now);
            if batch.is_empty() {
                return Ok(());
            }
            if let Err(error) = self.settle_batch(counter, batch, now).await {
                // One failure is enough to know that the database is away.
                holders.for_each(|holder| counter.wait(holder));
                return Err(error);
            }
        }
    }

    async fn settle_batch(
        &self,
        counter: &Counter,
        mut batch: Batch,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let window = counter.limit.window;
        let tallies: Vec<_> = batch.iter().map(|(name, (_, share))| tally(*name, *share)).collect();
        let settled = transact!(self.store, txn => {
            limit_windows::add(txn, counter.name, window, tallies.clone(), now).await
        });
        let outcome = settled.map(|tallies| {
            for Tally { key_hash, began_at, used } in tallies {
                if let Some((holder, told)) = batch.remove(&key_hash) {
                    counter.settle(holder, told, Share { began_at, used }, now);
                }
            }
        });
        // All of them, or nobody.
        for (holder, _) in batch.into_values() {
            counter.wait(holder);
        }
        outcome
    }
}

/// The next of `holders` who have something to tell.
fn next_batch(
    secret: &ServerSecret,
    counter: &Counter,
    holders: &mut impl Iterator<Item = Holder>,
    now: Timestamp,
) -> Batch {
    let mut batch = Batch::new();
    while batch.len() < BATCH_ROWS
        && let Some(holder) = holders.next()
    {
        let Some(share) = counter.open(&holder, now) else { continue };
        match batch.entry(key_hash(secret, counter.name, &holder.who)) {
            Entry::Vacant(free) => drop(free.insert((holder, share))),
            // Forgotten and counted anew while waiting: no statement takes anybody twice.
            Entry::Occupied(_) => counter.wait(holder),
        }
    }
    batch
}

const fn tally(key_hash: [u8; 32], share: Share) -> Tally {
    Tally { key_hash, began_at: share.began_at, used: share.used }
}

/// The name by which the database knows whom a limit counts.
fn key_hash(secret: &ServerSecret, limit_name: &str, who: &Counted) -> [u8; 32] {
    let hash = |kind: &str, parts: [&[u8]; 2]| {
        let parts = [limit_name.as_bytes(), kind.as_bytes(), parts[0], parts[1]];
        secret.keyed_hash(Purpose::LimitKey, &parts)
    };
    match who {
        Counted::Person(user_id) => hash("person", [user_id.uuid().as_bytes(), &[]]),
        Counted::Address(address) => hash("address", [&octets(*address), &[]]),
        Counted::Grant(grant_id) => hash("grant", [grant_id.uuid().as_bytes(), &[]]),
        Counted::ClientAt(client_id, address) => {
            hash("client at", [client_id.as_bytes(), &octets(*address)])
        }
        Counted::Host(host) => hash("host", [host.as_bytes(), &[]]),
    }
}

fn octets(address: IpAddr) -> Vec<u8> {
    match address {
        IpAddr::V4(v4) => v4.octets().to_vec(),
        IpAddr::V6(v6) => v6.octets().to_vec(),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::config::values::Limit;
    use crate::id::{GrantId, UserId};

    const NOW: Timestamp = Timestamp::from_seconds(1000);

    #[test]
    fn a_batch_holds_nobody_twice_and_no_more_than_one_statement_takes() {
        let limit = Limit { count: 1000, window: Duration::from_mins(1) };
        let secret = ServerSecret::new(vec![1; 32], None);
        let counter = || Counter::new("limit_mcp", limit, Arc::default());
        let (before, after) = (counter(), counter());
        for number in 0..=u32::try_from(BATCH_ROWS).unwrap() {
            for _ in 0..100 {
                after.count(Counted::address(std::net::Ipv4Addr::from(number).into()), NOW);
            }
        }
        // The first of them was counted before as well, and then forgotten by the cache.
        for _ in 0..100 {
            before.count(Counted::address(std::net::Ipv4Addr::from(0).into()), NOW);
        }
        let mut holders = before.take_waiting().into_iter().chain(after.take_waiting());
        let batch = next_batch(&secret, &after, &mut holders, NOW);
        assert_eq!(batch.len(), BATCH_ROWS);
        assert_eq!(after.take_waiting().len(), 1);
        assert_eq!(next_batch(&secret, &after, &mut holders, NOW).len(), 1);
    }

    #[test]
    fn equal_callers_have_one_name_and_nobody_else_has_it() {
        let id = uuid::Uuid::from_u128(7);
        let address: IpAddr = "203.0.113.7".parse().unwrap();
        let secret = |byte| ServerSecret::new(vec![byte; 32], None);
        let callers = [
            Counted::Person(UserId::from_uuid(id)),
            Counted::Grant(GrantId::from_uuid(id)),
            Counted::address(address),
            Counted::address("203.0.113.8".parse().unwrap()),
            Counted::client_at("a", address),
            Counted::client_at("b", address),
        ];
        let mut names: Vec<_> = [(1, "limit_mcp"), (1, "limit_token"), (2, "limit_mcp")]
            .into_iter()
            .flat_map(|(byte, limit)| {
                callers.clone().map(|who| key_hash(&secret(byte), limit, &who))
            })
            .collect();
        assert_eq!(names[0], key_hash(&secret(1), "limit_mcp", &callers[0]));
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), 3 * callers.len());
    }
}
