//! Who is asking: registered clients, found and made.
//!
//! Never here: redirects, tokens, a fetch of an address that a client named.

use std::sync::Arc;
use std::time::Duration;

use quick_cache::sync::Cache;

use crate::clock::Timestamp;
use crate::domain::client::Client;
use crate::store::{Store, StoreError, clients};

pub mod registration;

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

/// The registered clients.
pub struct Clients(Cache<String, Arc<Remembered>>);

impl Default for Clients {
    fn default() -> Self {
        Self(Cache::new(CLIENTS_MAX))
    }
}

impl Clients {
    /// Finds a client; `None` when nobody registered it. A "no" is never remembered: the next
    /// request may come right after the registration.
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
        if let Some(remembered) = self.0.get(client_id)
            && now.is_within(remembered.found_at, CLIENT_KEPT)
        {
            return Ok(Some(Arc::clone(&remembered.client)));
        }
        let Some(client) = clients::find(store.read(), client_id).await? else {
            return Ok(None);
        };
        let client = Arc::new(client);
        let remembered = Remembered { client: Arc::clone(&client), found_at: now };
        self.0.insert(client_id.to_owned(), Arc::new(remembered));
        Ok(Some(client))
    }
}
