//! `POST /oauth/register` (RFC 7591).
//!
//! 1. Count the address: registration is open to everyone.
//! 2. Read the body, then decide what of it stands (`domain::client`).
//! 3. One write: the client, under an identifier of ours.

use std::net::IpAddr;

use crate::clients::registration;
use crate::clock::Timestamp;
use crate::domain::client::{Client, check_registration};
use crate::domain::refusal::RegistrationRefusal;
use crate::flow::limits::{Counted, Reading};
use crate::flow::{Fault, Gatehouse};
use crate::id::ClientRowId;
use crate::store::clients;
use crate::store::transact;

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
        let reading = self.limits.register.count(Counted::address(address), now);
        if !reading.allowed {
            tracing::info!(flow = "register", outcome = "limited");
            return Ok(Registration::Limited(reading));
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
        let client = Client { client_id: registration::new_client_id(&*self.entropy), metadata };
        let id = ClientRowId::generate(&*self.entropy, now);
        transact!(self.store, txn => clients::insert(txn, id, &client, now).await)?;
        tracing::info!(flow = "register", outcome = "registered", client_id = %client.client_id);
        Ok(Registration::Registered { client, issued_at: now })
    }
}
