//! `POST /oauth/register` (RFC 7591).
//!
//! 1. Read the body, then decide what of it stands (`domain::client`).
//! 2. Identical software that registered before is the same client, and costs nothing: clients
//!    register at every start, and some twice.
//! 3. Count the address: registration is open to everyone.
//! 4. One write: the client, under an identifier of ours; of two that race one is kept.

use std::net::IpAddr;
use std::time::Duration;

use crate::clients::registration;
use crate::clock::Timestamp;
use crate::domain::audit::{Actor, AuditKind};
use crate::domain::client::{Client, ClientMetadata, check_registration};
use crate::domain::refusal::RegistrationRefusal;
use crate::flow::limits::{Counted, Reading};
use crate::flow::{Fault, Gatehouse};
use crate::id::ClientRowId;
use crate::store::audit::{self, AuditRow};
use crate::store::clients::{self, Known};
use crate::store::{Consumed, StoreError, transact};

/// How exact the note of a client's last use is here: the clean-up counts in months.
const NOTED_EVERY: Duration = Duration::from_hours(24);

/// How a registration ends.
pub enum Registration {
    /// It stands.
    Registered {
        /// What was registered.
        client: Client,
        /// When.
        issued_at: Timestamp,
    },
    /// A reason why not.
    Refused(RegistrationRefusal),
    /// Too many from this address.
    Limited(Reading),
}

impl Gatehouse {
    /// The exchange.
    pub async fn register(
        &self,
        body: &serde_json::Value,
        address: IpAddr,
    ) -> Result<Registration, Fault> {
        let now = self.clock.now();
        if !self.config.dcr {
            return Ok(Registration::Refused(RegistrationRefusal::SwitchedOff));
        }
        let checked = registration::read(body).and_then(|presented| {
            check_registration(&presented, &self.config.custom_scheme_redirects)
        });
        let metadata = match checked {
            Ok(metadata) => metadata,
            Err(refusal) => {
                tracing::info!(flow = "register", outcome = "refused", reason = ?refusal);
                return Ok(Registration::Refused(refusal));
            }
        };
        if let Some(known) = self.known_client(&metadata, now).await? {
            return Ok(folded(known, metadata));
        }
        let reading = self.limits.register.count(Counted::address(address), now);
        if !reading.allowed {
            tracing::info!(flow = "register", outcome = "limited");
            return Ok(Registration::Limited(reading));
        }
        let client = Client { client_id: registration::new_client_id(&*self.entropy), metadata };
        let id = ClientRowId::generate(&*self.entropy, now);
        let faster = transact!(self.store, txn => {
            match clients::insert(txn, id, &client, now).await? {
                Consumed::ByUs => {
                    let kind = AuditKind::ClientRegistered;
                    let row = AuditRow::new(&*self.entropy, kind, Actor::Client, now);
                    let row = row.of_client(&client.client_id).because("registration");
                    audit::write(txn, [row]).await?;
                    Ok(None)
                }
                Consumed::BySomeoneElse => {
                    let same = clients::find_same(txn, &client.metadata).await?;
                    Ok(Some(same.ok_or(StoreError::Corrupt("client digest"))?))
                }
            }
        })?;
        if let Some(faster) = faster {
            return Ok(folded(faster, client.metadata));
        }
        tracing::info!(flow = "register", outcome = "registered", client_id = %client.client_id);
        Ok(Registration::Registered { client, issued_at: now })
    }

    /// The same software, registered before. It is kept from the clean-up from now on.
    async fn known_client(
        &self,
        metadata: &ClientMetadata,
        now: Timestamp,
    ) -> Result<Option<Known>, Fault> {
        let known = match clients::find_same(self.store.read(), metadata).await? {
            Some(known) if !now.is_within(known.last_used_at, NOTED_EVERY) => known,
            fresh_or_none => return Ok(fresh_or_none),
        };
        let known = transact!(self.store, txn => {
            clients::mark_used(txn, &known.client_id, now).await?;
            clients::find_same(txn, metadata).await
        })?;
        Ok(known)
    }
}

/// The answer speaks of what was asked: on loopback any port will do.
fn folded(known: Known, metadata: ClientMetadata) -> Registration {
    tracing::info!(flow = "register", outcome = "folded", client_id = %known.client_id);
    let client = Client { client_id: known.client_id, metadata };
    Registration::Registered { client, issued_at: known.created_at }
}
