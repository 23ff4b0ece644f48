//! Who is asking: clients that registered, and clients that publish a document about themselves.
//!
//! Never here: redirects, tokens, a fetch of an address that a client named but under the guard.

use std::sync::Arc;
use std::time::Duration;

use quick_cache::sync::Cache;

use crate::clients::metadata_document::Documents;
use crate::clock::Timestamp;
use crate::domain::client::Client;
use crate::store::{Store, StoreError, clients};

pub mod document_body;
pub mod fetch_guard;
pub mod metadata_document;
pub mod registration;
pub mod well_known;

/// The most clients remembered.
const CLIENTS_MAX: usize = 10_000;

/// The longest client identifier that is looked for, in bytes.
const CLIENT_ID_BYTES_MAX: usize = 512;

/// How long a found client is remembered. A registration never changes, but it may expire.
const CLIENT_KEPT: Duration = Duration::from_mins(1);

struct Remembered {
    client: Arc<Client>,
    found_at: Timestamp,
}

/// The clients.
pub struct Clients {
    known: Cache<String, Arc<Remembered>>,
    /// Where metadata documents come from, unless that is switched off.
    pub documents: Option<Documents>,
}

impl Clients {
    /// The clients that registered, and those that `documents` describe.
    pub fn new(documents: Option<Documents>) -> Self {
        Self { known: Cache::new(CLIENTS_MAX), documents }
    }

    /// Finds a client that registered, or signed people in by its document; `None` when nobody
    /// knows it. Nothing is fetched: what comes after the authorization request must not depend on
    /// somebody else's server. A "no" is never remembered: the next request may come right after
    /// the registration.
    pub async fn resolve(
        &self,
        store: &Store,
        client_id: &str,
        now: Timestamp,
    ) -> Result<Option<Arc<Client>>, StoreError> {
        // No identifier of ours is longer or has other characters; Postgres would refuse some.
        let plausible = client_id.len() <= CLIENT_ID_BYTES_MAX
            && client_id.bytes().all(|byte| byte.is_ascii_graphic());
        if !plausible {
            return Ok(None);
        }
        if let Some(remembered) = self.known.get(client_id)
            && now.is_within(remembered.found_at, CLIENT_KEPT)
        {
            return Ok(Some(Arc::clone(&remembered.client)));
        }
        let Some(client) = clients::find(store.read(), client_id).await? else {
            return Ok(None);
        };
        Ok(Some(self.remember(client, now)))
    }

    /// Remembers a client that was found or written.
    pub fn remember(&self, client: Client, now: Timestamp) -> Arc<Client> {
        let client = Arc::new(client);
        let remembered = Remembered { client: Arc::clone(&client), found_at: now };
        self.known.insert(client.client_id.clone(), Arc::new(remembered));
        client
    }
}
