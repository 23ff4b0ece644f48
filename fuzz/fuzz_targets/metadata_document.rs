//! Metadata documents of clients: strangers name their address and write them.
//!
//! The first line of an input is the address, the second what `Cache-Control` says, and the rest
//! the document.

#![no_main]

use std::time::Duration;

use gatehouse_fuzz::clients::document_body::read;
use gatehouse_fuzz::domain::metadata_document::{
    DocumentHosts, DocumentUrl, check_document, kept_for, publisher,
};
use gatehouse_fuzz::signed::line_and_rest;
use libfuzzer_sys::fuzz_target;
use url::{Host, Url};

/// As long as a document is kept at most.
const DAY: Duration = Duration::from_hours(24);

fuzz_target!(|input: &[u8]| {
    let (address, rest) = line_and_rest(input);
    let (cache_control, body) = line_and_rest(rest);
    let said = String::from_utf8_lossy(cache_control);
    let kept = kept_for(Some(&said), Some(&said));
    assert!(kept <= DAY && !kept.is_zero(), "{kept:?}");
    let address = String::from_utf8_lossy(address);
    let presented = read(body);
    let Ok(url) = DocumentUrl::parse(&address, DocumentHosts::Public) else { return };
    assert_eq!(url.as_str(), address, "one spelling");
    let parsed = Url::parse(&address).expect("an address that was accepted");
    assert_eq!(parsed.as_str(), address, "parsers leave it alone");
    assert_eq!(parsed.scheme(), "https");
    assert!(parsed.username().is_empty() && parsed.password().is_none());
    assert!(parsed.fragment().is_none());
    assert!(matches!(parsed.host(), Some(Host::Domain(_))), "a name: {address}");
    assert_ne!(parsed.path(), "/");
    assert_eq!(publisher(&address).as_deref(), parsed.host_str());
    let Ok(presented) = presented else { return };
    let Ok(metadata) = check_document(&url, &presented, &[]) else { return };
    assert_eq!(presented.client_id.as_deref(), Some(&*address), "another client's document");
    assert!(!presented.names_a_secret);
    assert!(metadata.client_name.is_some() && !metadata.redirect_uris.is_empty());
});
