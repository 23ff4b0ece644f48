//! Metadata documents: fetched under guard, read, checked, and remembered for a while.
//!
//! A document that could not be had or used is never remembered: the next request may find it
//! mended. What people signed in with is a row in the store, so nothing after the authorization
//! request depends on the document or its host.

use std::sync::Arc;
use std::time::Duration;

use quick_cache::sync::Cache;
use tokio::time::Instant;
use tracing::Instrument as _;

use crate::clients::document_body::read;
use crate::clients::fetch_guard::{FETCH_TIMEOUT, FetchGuard, SystemLookup};
use crate::clients::well_known::pinned;
use crate::clock::Timestamp;
use crate::domain::client::{Client, ClientMetadata};
use crate::domain::metadata_document::{
    DocumentHosts, DocumentUrl, Publishers, check_document, kept_for,
};
use crate::domain::refusal::DocumentRefusal;
use crate::http_client::NoHttpClient;
use crate::traces::{self, End};

/// The most documents remembered.
const DOCUMENTS_MAX: usize = 1_000;

/// A document, read and checked.
#[derive(Clone, Debug)]
pub struct Document {
    /// What stands of it.
    pub metadata: ClientMetadata,
    /// How long it may be remembered.
    pub kept_for: Duration,
}

struct Remembered {
    client: Arc<Client>,
    fresh_until: Timestamp,
}

/// Where documents come from.
pub struct Documents {
    guard: FetchGuard,
    /// Whose documents are accepted.
    pub publishers: Publishers,
    /// No failure is told sooner, or its time would tell which ports of a host answer.
    failures_told_after: Duration,
    remembered: Cache<String, Arc<Remembered>>,
}

impl Documents {
    /// Documents of `publishers` from `hosts`, by the machine's own resolver. Fails when this
    /// machine has no CA certificates.
    pub fn new(hosts: DocumentHosts, publishers: Publishers) -> Result<Self, NoHttpClient> {
        let failures_told_after = match hosts {
            DocumentHosts::Public => FETCH_TIMEOUT,
            // Whoever allows this has nothing on this machine to hide.
            DocumentHosts::AlsoLoopback => Duration::ZERO,
        };
        let guard = FetchGuard::new(Arc::new(SystemLookup), hosts, FETCH_TIMEOUT)?;
        Ok(Self::guarded(guard, publishers, failures_told_after))
    }

    fn guarded(guard: FetchGuard, publishers: Publishers, failures_told_after: Duration) -> Self {
        Self { guard, publishers, failures_told_after, remembered: Cache::new(DOCUMENTS_MAX) }
    }

    /// Where documents may lie.
    pub const fn hosts(&self) -> DocumentHosts {
        self.guard.hosts
    }

    /// The client of a document that was fetched not long ago.
    pub fn fresh(&self, url: &DocumentUrl, now: Timestamp) -> Option<Arc<Client>> {
        let remembered = self.remembered.get(url.as_str())?;
        (now < remembered.fresh_until).then(|| Arc::clone(&remembered.client))
    }

    /// Remembers the client that the document at `url` describes.
    pub fn remember(&self, client: &Arc<Client>, kept_for: Duration, now: Timestamp) {
        let fresh_until = now.plus(kept_for);
        let remembered = Remembered { client: Arc::clone(client), fresh_until };
        self.remembered.insert(client.client_id.clone(), Arc::new(remembered));
    }

    /// The document at `url`, fetched now; a copy of ours if it cannot be had and there is one.
    pub async fn fetch(
        &self,
        url: &DocumentUrl,
        custom_schemes: &[String],
    ) -> Result<Document, DocumentRefusal> {
        let began_at = Instant::now();
        let span = traces::document();
        let fetched = self.fetch_once(url, custom_schemes).instrument(span.clone()).await;
        match &fetched {
            Ok(_) => traces::ended(&span, "accepted", End::Well),
            Err(_) => traces::ended(&span, "refused", End::Well),
        }
        drop(span);
        let Err(refusal) = fetched else { return fetched };
        // The path may hold anything; the host is what an operator needs.
        tracing::info!(document_host = url.host(), outcome = "refused", reason = ?refusal);
        if let Some(copy) = copy(url, custom_schemes) {
            return Ok(copy);
        }
        tokio::time::sleep_until(began_at + self.failures_told_after).await;
        Err(refusal)
    }

    async fn fetch_once(
        &self,
        url: &DocumentUrl,
        custom_schemes: &[String],
    ) -> Result<Document, DocumentRefusal> {
        let fetched = self.guard.fetch(url).await.map_err(DocumentRefusal::Fetch)?;
        let presented = read(&fetched.body)?;
        let metadata = check_document(url, &presented, custom_schemes)?;
        Ok(Document { metadata, kept_for: fetched.kept_for })
    }
}

/// Our copy of a well-known document.
pub fn copy(url: &DocumentUrl, custom_schemes: &[String]) -> Option<Document> {
    let metadata = check_document(url, &pinned(url.as_str())?, custom_schemes).ok()?;
    Some(Document { metadata, kept_for: kept_for(None, None) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clients::fetch_guard::{LookedUp, Lookup};
    use crate::domain::refusal::FetchRefusal;

    /// A machine without a way out.
    struct NoNetwork;

    impl Lookup for NoNetwork {
        fn lookup(&self, _: String) -> LookedUp {
            Box::pin(async { Err(std::io::Error::other("no network")) })
        }
    }

    fn without_network(failures_told_after: Duration) -> Documents {
        let hosts = DocumentHosts::Public;
        let guard = FetchGuard::new(Arc::new(NoNetwork), hosts, FETCH_TIMEOUT).unwrap();
        Documents::guarded(guard, Publishers::default(), failures_told_after)
    }

    fn at(address: &str) -> DocumentUrl {
        DocumentUrl::parse(address, DocumentHosts::Public).unwrap()
    }

    #[tokio::test]
    async fn a_copy_stands_in_for_a_document_that_cannot_be_had() {
        let documents = without_network(Duration::from_hours(1));
        let claude = at("https://claude.ai/oauth/mcp-oauth-client-metadata");
        let document = documents.fetch(&claude, &[]).await.unwrap();
        assert_eq!(document.metadata.client_name.as_deref(), Some("Claude"));
    }

    #[tokio::test]
    async fn the_time_of_a_failure_tells_nothing() {
        let told_after = Duration::from_millis(200);
        let documents = without_network(told_after);
        let began_at = Instant::now();
        let refusal = documents.fetch(&at("https://e.com/client.json"), &[]).await.unwrap_err();
        assert_eq!(refusal, DocumentRefusal::Fetch(FetchRefusal::NoAddress));
        assert!(began_at.elapsed() >= told_after);
    }
}
