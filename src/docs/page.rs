//! A page of the corpus, and where the public site shows it.

use std::borrow::Cow;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use url::Url;

use super::document::Document;

/// What does not stand for itself in the path of an address (RFC 3986 §3.3).
const NOT_IN_PATHS: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'/')
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'!')
    .remove(b'$')
    .remove(b'&')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')')
    .remove(b'*')
    .remove(b'+')
    .remove(b',')
    .remove(b';')
    .remove(b'=')
    .remove(b':')
    .remove(b'@');

/// A page and its names.
#[derive(Debug)]
pub struct Page {
    /// Relative to its folder, as on disk, with `/` between parts.
    pub path: String,
    /// The address on the public site, relative to it and not encoded; ends in `/` where the site
    /// serves folders.
    pub public_path: String,
    /// The whole public address, when the settings say where the site is.
    pub url: Option<String>,
    /// Paths and public paths this page had in earlier days.
    pub aliases: Vec<String>,
    pub document: Document,
}

/// The public address of a page, or of a heading on it.
pub fn address(site_url: &Url, public_path: &str) -> String {
    // Url::join would drop the last part of a site address without a closing slash, and give
    // meaning to `..` and `//` in a path that should have none.
    format!("{}/{}", site_url.as_str().trim_end_matches('/'), encoded(public_path))
}

/// A path as an address has it.
pub fn encoded(path: &str) -> String {
    utf8_percent_encode(path, NOT_IN_PATHS).to_string()
}

/// What the path of an address says. A percent sign that begins no escape is one, and escapes that
/// make no text stay as they are.
pub fn decoded(path: &str) -> Cow<'_, str> {
    percent_decode_str(path).decode_utf8().unwrap_or(Cow::Borrowed(path))
}

/// Adds a fragment to an address; no anchor, no fragment.
pub fn with_anchor(address: &str, anchor: &str) -> String {
    if anchor.is_empty() { address.to_owned() } else { format!("{address}#{anchor}") }
}

/// Where a site made by Antora shows a page: `<module>/<path>/`, the ROOT module at the top.
pub fn antora_public_path(module: &str, relative: &str) -> String {
    let stem = without_extension(relative);
    let folder = stem.strip_suffix("index").filter(|it| it.is_empty() || it.ends_with('/'));
    let shown = folder.map_or_else(|| format!("{stem}/"), str::to_owned);
    if module == "ROOT" { shown } else { format!("{module}/{shown}") }
}

/// Where any other site shows a page: its path without extension, an index as its folder.
pub fn plain_public_path(path: &str) -> String {
    let stem = without_extension(path);
    let folder = stem.strip_suffix("index").filter(|it| it.is_empty() || it.ends_with('/'));
    folder.unwrap_or(stem).to_owned()
}

fn without_extension(path: &str) -> &str {
    match path.rsplit_once('.') {
        Some((stem, extension)) if !extension.contains('/') && !stem.is_empty() => stem,
        _ => path,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn antora_pages_are_folders_under_their_module() {
        assert_eq!(antora_public_path("manage", "tls/enable.adoc"), "manage/tls/enable/");
        assert_eq!(antora_public_path("manage", "tls/index.adoc"), "manage/tls/");
        assert_eq!(antora_public_path("manage", "index.adoc"), "manage/");
        assert_eq!(antora_public_path("ROOT", "index.adoc"), "");
        assert_eq!(antora_public_path("ROOT", "my-index.adoc"), "my-index/");
    }

    #[test]
    fn other_pages_lose_their_extension() {
        assert_eq!(plain_public_path("guide/install.md"), "guide/install");
        assert_eq!(plain_public_path("guide/index.md"), "guide/");
        assert_eq!(plain_public_path("index.html"), "");
        assert_eq!(plain_public_path("v1.2/notes"), "v1.2/notes");
    }

    #[test]
    fn a_site_address_may_have_a_path_and_no_slash() {
        let site = Url::parse("https://docs.example/current").unwrap();
        assert_eq!(address(&site, "a/b/"), "https://docs.example/current/a/b/");
        assert_eq!(address(&site, ""), "https://docs.example/current/");
        assert_eq!(with_anchor("https://x/", "y"), "https://x/#y");
    }

    #[test]
    fn a_path_may_have_any_character_and_comes_back() {
        for (path, shown) in [
            ("a b#c?/100%", "a%20b%23c%3F/100%25"),
            ("añb", "a%C3%B1b"),
            ("v1.2/x(y)@z", "v1.2/x(y)@z"),
        ] {
            assert_eq!(encoded(path), shown);
            assert_eq!(decoded(shown), path);
        }
        assert_eq!(decoded("100%"), "100%");
        assert_eq!(decoded("%ff"), "%ff");
    }
}
