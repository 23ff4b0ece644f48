//! What breaks in the middle of a wave: connections to the database, the database, a replica.
//!
//! Never here: what may be true afterwards; see `reference`.

use std::fmt;
use std::future::Future;
use std::pin::Pin;

use super::plan::Fault;
use crate::support::database::postgres_to_relay;
use crate::support::relay::{Blow, Moment};
use crate::support::{Backend, Relay, World};

/// Between each replica and its database, where there is a connection that can break.
pub struct Relays(Option<[Relay; 2]>);

/// What broke.
#[derive(Debug, Default)]
pub struct Struck {
    pub replicas: [bool; 2],
    /// The first replica ended without warning, and is down.
    pub is_killed: bool,
}

impl Relays {
    pub async fn open(backend: Backend) -> Self {
        let server = (backend == Backend::Postgres).then(postgres_to_relay).flatten();
        let Some(server) = server else { return Self(None) };
        Self(Some([Relay::to(vec![server.clone()]).await, Relay::to(vec![server]).await]))
    }

    pub fn of(&self, replica: usize) -> Option<&Relay> {
        self.0.as_ref().map(|relays| &relays[replica])
    }

    /// Ends every session, and waits until the database knows.
    pub async fn end_all_sessions(&self) {
        for relay in self.0.iter().flatten() {
            relay.cut();
            relay.settled().await;
        }
    }
}

/// Does a wave while something breaks; what the wave brought and what broke. Everything that the
/// wave began at the database has ended then.
pub async fn meanwhile<T>(
    relays: &Relays,
    world: &World,
    fault: Fault,
    mut wave: Pin<&mut impl Future<Output = T>>,
) -> (T, Struck) {
    let Some([first, second]) = &relays.0 else {
        let is_killed = matches!(fault, Fault::Kill(_));
        if is_killed {
            world.kill().await;
        }
        return (wave.await, Struck { replicas: [is_killed, false], is_killed });
    };
    match fault {
        Fault::None => (wave.await, Struck::default()),
        Fault::Cut(replica, moment) => {
            let relay = [first, second][replica];
            relay.arm(moment, Blow::Cut);
            let found = wave.await;
            let has_blown = relay.disarm().await;
            relay.settled().await;
            let mut struck = Struck::default();
            struck.replicas[replica] = has_blown;
            (found, struck)
        }
        Fault::Outage(moment) => {
            let (found, has_blown) = outage([first, second], moment, wave).await;
            (found, Struck { replicas: [has_blown; 2], is_killed: false })
        }
        Fault::Kill(moment) => {
            first.arm(moment, Blow::Stall);
            let early = tokio::select! {
                biased;
                () = first.blown() => None,
                found = &mut wave => Some(found),
            };
            let is_killed = first.disarm().await;
            if is_killed {
                world.kill().await;
                first.emptied().await;
            }
            let found = match early {
                Some(found) => found,
                None => wave.await,
            };
            (found, Struck { replicas: [is_killed, false], is_killed })
        }
    }
}

/// The first replica meets it first; the second is cut off in the same moment.
async fn outage<T>(
    [first, second]: [&Relay; 2],
    moment: Moment,
    mut wave: Pin<&mut impl Future<Output = T>>,
) -> (T, bool) {
    first.arm(moment, Blow::Outage);
    let found = tokio::select! {
        biased;
        () = first.blown() => {
            second.refuse();
            wave.await
        }
        found = &mut wave => found,
    };
    let has_blown = first.disarm().await;
    second.disarm().await;
    first.settled().await;
    second.settled().await;
    (found, has_blown)
}

impl fmt::Display for Struck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.is_killed, self.replicas) {
            (true, _) => f.write_str(", while replica 1 is killed"),
            (false, [false, false]) => Ok(()),
            (false, [true, true]) => f.write_str(", while the database goes away"),
            (false, [is_first, _]) => {
                let replica = if is_first { 1 } else { 2 };
                write!(f, ", while replica {replica} is cut off from the database")
            }
        }
    }
}
