//! Which product a client is: from what the request says, and from what the client calls itself.

use std::collections::{BTreeSet, HashMap};

use url::Url;

use crate::attribution::usage::pending::Who;
use crate::domain::product::{Signs, UNKNOWN, product_of};
use crate::store::{StoreError, Txn, clients};

/// So many clients are looked up in one statement.
const CLIENTS_AT_ONCE: usize = 250;

/// Some clients, by what they call themselves.
pub struct Products {
    names: HashMap<String, String>,
}

impl Products {
    /// Looks up these clients.
    pub async fn of(txn: &Txn, client_ids: BTreeSet<String>) -> Result<Self, StoreError> {
        let client_ids: Vec<_> = client_ids.into_iter().collect();
        let mut names = HashMap::new();
        for some in client_ids.chunks(CLIENTS_AT_ONCE) {
            let clients = clients::find_all(txn, some).await?;
            let named = clients.into_iter().filter_map(|client| {
                let name = client.metadata.client_name?;
                Some((client.client_id, name))
            });
            names.extend(named);
        }
        Ok(Self { names })
    }

    /// The product that a call came with.
    pub fn with(&self, who: &Who) -> String {
        let client_id = who.client_id.as_deref().unwrap_or_default();
        let document = Url::parse(client_id).ok().filter(|url| url.scheme() == "https");
        product_of(Signs {
            told: who.told,
            registered: self.names.get(client_id).map(String::as_str),
            publisher: document.as_ref().and_then(Url::host_str),
            agent: who.agent,
        })
    }

    /// The product that a client is by itself; nothing when that is not known.
    pub fn of_client(&self, client_id: &str) -> Option<String> {
        let who = Who { client_id: Some(client_id.to_owned()), ..Who::default() };
        Some(self.with(&who)).filter(|product| product != UNKNOWN)
    }
}
