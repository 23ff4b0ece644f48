//! Who asks at the authorization endpoint: a client that registered, or one that publishes a
//! document about itself (CIMD).
//!
//! 1. An identifier that is no address was given out by a registration, or by nobody.
//! 2. The address must be one that a document can have, on a host that is trusted.
//! 3. A document that was read not long ago is good.
//! 4. Count who asks and who is asked: a stranger decides where this server connects to.
//! 5. Fetch, under guard, with no transaction open. Without a document there is no sign-in; an
//!    earlier one never stands in, a copy of ours does.
//! 6. One write, when the document says something new. All that follows the authorization request
//!    reads the row, so it needs neither the document nor its host. When the client changed its
//!    name or its redirects, what people agreed to is forgotten.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use crate::clients::metadata_document::{self, Document, Documents};
use crate::clock::Timestamp;
use crate::domain::audit::{Actor, AuditKind};
use crate::domain::client::Client;
use crate::domain::metadata_document::{DocumentUrl, differs_for_people};
use crate::domain::refusal::AuthorizeRefusal;
use crate::flow::limits::{Counted, Reading};
use crate::flow::{Fault, Gatehouse};
use crate::id::ClientRowId;
use crate::store::audit::{self, AuditRow};
use crate::store::{clients, consents, transact};

/// How exact the note of a document's last use is: it is kept for a day without.
const NOTED_EVERY: Duration = Duration::from_hours(1);

/// Who asks.
pub enum Asking {
    /// A client.
    Client(Arc<Client>),
    /// A reason why not.
    Refused(AuthorizeRefusal),
    /// Too many documents were fetched for this address, or from that host.
    Limited(Reading),
}

impl Gatehouse {
    /// Finds the client of an authorization request.
    pub async fn who_asks(
        &self,
        client_id: &str,
        address: IpAddr,
        now: Timestamp,
    ) -> Result<Asking, Fault> {
        let documents = match &self.clients.documents {
            Some(documents) if DocumentUrl::is_meant_by(client_id) => documents,
            _ => {
                let known = self.clients.resolve(&self.store, client_id, now).await?;
                let unknown = Asking::Refused(AuthorizeRefusal::UnknownClient);
                return Ok(known.map_or(unknown, Asking::Client));
            }
        };
        let url = match DocumentUrl::parse(client_id, documents.hosts()) {
            Ok(url) => url,
            Err(refusal) => {
                tracing::info!(flow = "introduce", outcome = "refused", reason = ?refusal);
                return Ok(Asking::Refused(AuthorizeRefusal::MalformedDocumentUrl));
            }
        };
        if !documents.publishers.trust(&url) {
            return Ok(Asking::Refused(AuthorizeRefusal::UntrustedPublisher));
        }
        if let Some(client) = documents.fresh(&url, now) {
            return Ok(Asking::Client(client));
        }
        let document = match self.document(documents, &url, address, now).await {
            Ok(document) => document,
            Err(asking) => return Ok(asking),
        };
        let client = Client { client_id: client_id.to_owned(), metadata: document.metadata };
        self.note_published(&client, now).await?;
        let client = self.clients.remember(client, now);
        documents.remember(&client, document.kept_for, now);
        Ok(Asking::Client(client))
    }

    async fn document(
        &self,
        documents: &Documents,
        url: &DocumentUrl,
        address: IpAddr,
        now: Timestamp,
    ) -> Result<Document, Asking> {
        let custom_schemes = &self.config.custom_scheme_redirects;
        if let Some(reading) = self.over_fetch_limit(url, address, now) {
            tracing::info!(flow = "introduce", outcome = "limited", document_host = url.host());
            let copy = metadata_document::copy(url, custom_schemes);
            return copy.ok_or(Asking::Limited(reading));
        }
        let fetched = documents.fetch(url, custom_schemes).await;
        fetched.map_err(|_| Asking::Refused(AuthorizeRefusal::UnusableDocument))
    }

    fn over_fetch_limit(
        &self,
        url: &DocumentUrl,
        address: IpAddr,
        now: Timestamp,
    ) -> Option<Reading> {
        let by_address = self.limits.cimd.count(Counted::address(address), now);
        if !by_address.allowed {
            return Some(by_address);
        }
        // Only what an address may still ask counts against a host, so that no single one can use
        // a host's share up for everybody.
        let host = Counted::Host(url.host().to_owned());
        let by_host = self.limits.cimd_host.count(host, now);
        (!by_host.allowed).then_some(by_host)
    }

    async fn note_published(&self, client: &Client, now: Timestamp) -> Result<(), Fault> {
        let client_id = &client.client_id;
        let known = clients::find_published(self.store.read(), client_id).await?;
        let is_noted = known.is_some_and(|known| {
            known.client == *client && now.is_within(known.last_used_at, NOTED_EVERY)
        });
        if is_noted {
            return Ok(());
        }
        let id = ClientRowId::generate(&*self.entropy, now);
        let asks_again = transact!(self.store, txn => {
            let before = clients::lock_published(txn, client_id).await?;
            let kind = match &before {
                None => Some(AuditKind::ClientRegistered),
                Some(before) if before.client != *client => Some(AuditKind::ClientChanged),
                Some(_) => None,
            };
            let row = |kind| {
                let row = AuditRow::new(&*self.entropy, kind, Actor::Client, now);
                row.of_client(client_id).because("document")
            };
            // With the row its approvals would be gone, too.
            let asks_again = before.is_some_and(|before| {
                differs_for_people(&before.client.metadata, &client.metadata)
            });
            clients::put_published(txn, id, client, now).await?;
            if asks_again {
                consents::delete_of_client(txn, client_id).await?;
            }
            audit::write(txn, kind.map(row)).await?;
            Ok(asks_again)
        })?;
        tracing::info!(flow = "introduce", outcome = "noted", client_id, asks_again);
        Ok(())
    }
}
