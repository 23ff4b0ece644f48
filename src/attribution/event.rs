//! What is handed on of a feedback: the payload that waits, sealed, in the outbox.

use serde::{Deserialize, Serialize};
use url::Url;

use crate::attribution::scrub::scrub;

/// The kind of event, for the outbox and for receivers of several kinds.
pub const FEEDBACK_SUBMITTED: &str = "feedback.submitted";

/// A feedback, as far as its receiver may be told of it: what the configuration leaves out is not
/// in here either.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeedbackEvent {
    /// The person's words, scrubbed.
    pub feedback: String,
    /// One of the four categories.
    pub category: String,
    /// The page it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page_url: Option<String>,
    /// Its path in the documentation; the whole address where it lies elsewhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page_path: Option<String>,
    /// Whether it lies elsewhere, when anything says what lies inside.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page_is_foreign: Option<bool>,
    /// The sender's address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_email: Option<String>,
    /// The domain of that address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_domain: Option<String>,
    /// When it came, in milliseconds since the epoch.
    pub submitted_at: i64,
}

/// A page that a feedback is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// Its address, without secrets.
    pub url: String,
    /// Its path below the host of the documentation; the whole address where it lies elsewhere, or
    /// where nothing says where the documentation lies.
    pub path: String,
    /// Whether it lies outside of the documentation; `None` where nothing says what lies inside.
    pub is_foreign: Option<bool>,
    /// How many secrets its address held.
    pub removed: usize,
}

impl Page {
    /// The page at `url`, seen from the documentation at `docs_url`. An address with a secret in
    /// its query or fragment loses both.
    pub fn new(mut url: Url, docs_url: Option<&Url>) -> Self {
        let removed = scrub(url.as_str()).removed;
        if removed > 0 {
            url.set_query(None);
            url.set_fragment(None);
        }
        let is_foreign = docs_url.map(|docs_url| !is_below(&url, docs_url));
        let path = match is_foreign {
            Some(false) => url.path(),
            Some(true) | None => url.as_str(),
        };
        // What still is one stood in the path.
        let clean = |text: &str| scrub(text).text;
        Self { path: clean(path), url: clean(url.as_str()), is_foreign, removed }
    }
}

/// Whether `url` is `folder` or something in it, by whole segments.
fn is_below(url: &Url, folder: &Url) -> bool {
    let folder_path = folder.path().trim_end_matches('/');
    let rest = url.path().strip_prefix(folder_path);
    url.origin() == folder.origin()
        && rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(url: &str, docs_url: Option<&str>) -> Page {
        let docs_url = docs_url.map(|url| Url::parse(url).unwrap());
        Page::new(Url::parse(url).unwrap(), docs_url.as_ref())
    }

    #[test]
    fn a_page_outside_of_the_documentation_is_known() {
        for (docs_url, url, is_foreign) in [
            ("https://docs.e.com", "https://docs.e.com/a/b?x=1#y", false),
            ("https://docs.e.com/", "https://docs.e.com", false),
            ("https://docs.e.com/current", "https://docs.e.com/current", false),
            ("https://docs.e.com/current", "https://docs.e.com/current/a", false),
            ("https://docs.e.com/current/", "https://DOCS.e.com:443/current/a", false),
            ("https://docs.e.com/current", "https://docs.e.com/currently", true),
            ("https://docs.e.com/current", "https://docs.e.com/current/../other", true),
            ("https://docs.e.com/current", "https://docs.e.com/current/%2e%2e/other", true),
            ("https://docs.e.com/current", "https://docs.e.com/24.1/a", true),
            ("https://docs.e.com", "http://docs.e.com/a", true),
            ("https://docs.e.com", "https://docs.e.com:8443/a", true),
            ("https://docs.e.com", "https://docs.e.com.evil.example/a", true),
            ("https://docs.e.com", "https://evil.example/docs.e.com/a", true),
        ] {
            assert_eq!(page(url, Some(docs_url)).is_foreign, Some(is_foreign), "{docs_url} {url}");
        }
        assert_eq!(page("https://docs.e.com/a", None).is_foreign, None);
    }

    #[test]
    fn the_path_is_told_of_pages_inside_and_the_whole_address_of_others() {
        let url = "https://docs.e.com/current/a?x=1#y";
        assert_eq!(page(url, Some("https://docs.e.com/current")).path, "/current/a");
        assert_eq!(page(url, Some("https://docs.e.com/24.1")).path, url);
        assert_eq!(page(url, None).path, url);
        assert_eq!(page(url, None).url, url);
    }

    #[test]
    fn an_address_with_a_secret_loses_it() {
        let token = format!("ghr_{}", "a1B2".repeat(11));
        let seen = page(&format!("https://docs.e.com/a?code={token}#{token}"), None);
        assert_eq!((seen.url.as_str(), seen.removed), ("https://docs.e.com/a", 2));
        let seen = page(&format!("https://docs.e.com/{token}/a"), Some("https://docs.e.com"));
        assert!(!seen.url.contains(&token) && !seen.path.contains(&token), "{seen:?}");
    }
}
