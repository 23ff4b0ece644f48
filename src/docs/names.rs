//! Finding a page by what it is called: its path, its address, or a name it once had.

use std::collections::HashMap;

use url::Url;

use super::page::{Page, decoded};
use crate::text::{
    cut,
    likeness::{LIKENESS_MIN, Pairs},
};

/// No name of a page is longer; what is, is not looked up at all.
const NAME_BYTES_MAX: usize = 2048;

/// How many near misses are offered for a name that is not found.
const SUGGESTIONS_MAX: usize = 5;

/// All names of all pages. A lookup is in this map or it fails: nothing in a name, however it is
/// written, can reach a file.
pub struct Names {
    site_url: Option<Url>,
    pages: HashMap<String, usize>,
}

/// A page, and the part of it that an address with a fragment points to.
pub struct Named<'a> {
    pub page: usize,
    pub fragment: Option<&'a str>,
}

impl Names {
    /// Collects the names. Current ones go first: no former name may hide a page of today.
    pub fn collect(pages: &[Page], site_url: Option<Url>) -> Self {
        let mut names = Self { site_url, pages: HashMap::new() };
        for (index, page) in pages.iter().enumerate() {
            names.add(&page.path, index);
        }
        for (index, page) in pages.iter().enumerate() {
            names.add(&page.public_path, index);
        }
        for (index, page) in pages.iter().enumerate() {
            for alias in &page.aliases {
                names.add(alias, index);
                if let Some(at) = alias.find("modules/")
                    && let Some(resource) = super::antora::resource(&alias[at..])
                {
                    names.add(&resource.public_path(), index);
                }
            }
        }
        names
    }

    fn add(&mut self, name: &str, page: usize) {
        self.pages.entry(name.trim_matches('/').to_owned()).or_insert(page);
    }

    /// The page with this path or address.
    pub fn find<'a>(&self, name: &'a str) -> Option<Named<'a>> {
        let name = name.trim();
        if name.len() > NAME_BYTES_MAX {
            return None;
        }
        // A path as on disk may hold what ends the path of an address.
        if let Some(page) = self.find_path(name) {
            return Some(Named { page, fragment: None });
        }
        let (name, fragment) = match name.split_once('#') {
            Some((name, fragment)) => (name, Some(fragment).filter(|it| !it.is_empty())),
            None => (name, None),
        };
        let name = name.split('?').next().unwrap_or(name);
        let page = match self.below_site(name) {
            Some(path) => self.find_path(&decoded(path)),
            None if name.contains("://") => None,
            None => {
                let path = name.strip_prefix("./").unwrap_or(name);
                // As it stands first: it may be a path as on disk.
                self.find_path(path).or_else(|| self.find_path(&decoded(path)))
            }
        }?;
        Some(Named { page, fragment })
    }

    /// The rest of an address below the public site; a mistaken scheme is forgiven.
    fn below_site<'a>(&self, name: &'a str) -> Option<&'a str> {
        let site = self.site_url.as_ref()?;
        let (scheme, rest) = name.split_once("://")?;
        if !scheme.eq_ignore_ascii_case("https") && !scheme.eq_ignore_ascii_case("http") {
            return None;
        }
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        if !authority.eq_ignore_ascii_case(site.authority()) {
            return None;
        }
        below(path, site.path())
    }

    fn find_path(&self, path: &str) -> Option<usize> {
        let known = |path: &str| self.pages.get(path.trim_matches('/')).copied();
        let as_page = |path: &str| {
            let stem = path.strip_suffix(".html").unwrap_or(path);
            let folder = stem.strip_suffix("index").filter(|it| it.is_empty() || it.ends_with('/'));
            known(path).or_else(|| known(stem)).or_else(|| known(folder?))
        };
        // The path of an address on our own site, given without its host.
        let below_site = || below(path, self.site_url.as_ref()?.path());
        as_page(path).or_else(|| as_page(below_site()?))
    }
}

/// The paths of the pages whose path, address or title is most like this name.
pub fn suggestions(name: &str, pages: &[Page]) -> Vec<String> {
    let name = cut::head(name, 200);
    let wanted = Pairs::of(last_parts(name, usize::MAX));
    let wanted_end = Pairs::of(last_parts(name, 1));
    let mut likely: Vec<(f32, &str)> = pages
        .iter()
        .map(|page| {
            let title = Pairs::of(&page.document.title);
            let whole = Pairs::of(last_parts(&page.path, usize::MAX));
            let end = Pairs::of(last_parts(&page.public_path, 1));
            let likeness = wanted.likeness(&title).max(wanted.likeness(&whole));
            (likeness.max(wanted_end.likeness(&end)), page.path.as_str())
        })
        .filter(|(likeness, _)| *likeness >= LIKENESS_MIN)
        .collect();
    likely.sort_by(|(a, _), (b, _)| b.total_cmp(a));
    likely.truncate(SUGGESTIONS_MAX);
    likely.into_iter().map(|(_, path)| path.to_owned()).collect()
}

/// What follows a leading folder in a path.
fn below<'a>(path: &'a str, folder: &str) -> Option<&'a str> {
    let rest = path.strip_prefix(folder.trim_end_matches('/'))?;
    (rest.is_empty() || rest.starts_with('/')).then_some(rest)
}

/// The last parts of a path or address, without scheme and extension.
fn last_parts(name: &str, count: usize) -> &str {
    let name = name.split_once("://").map_or(name, |(_, rest)| rest);
    let name = name.split(['#', '?']).next().unwrap_or(name).trim_end_matches('/');
    let name = match name.rsplit_once('.') {
        Some((stem, extension)) if !extension.contains('/') => stem,
        _ => name,
    };
    let start = name.rmatch_indices('/').nth(count.saturating_sub(1)).map_or(0, |(at, _)| at + 1);
    &name[start..]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::docs::document::Document;

    fn page(path: &str, public_path: &str, title: &str, aliases: &[&str]) -> Page {
        let title = title.to_owned();
        let document = Document::assemble(title, String::new(), String::new(), Vec::new());
        let aliases = aliases.iter().map(|&alias| alias.to_owned()).collect();
        let (path, public_path) = (path.to_owned(), public_path.to_owned());
        Page { path, public_path, url: None, aliases, document }
    }

    fn pages() -> Vec<Page> {
        let former = ["modules/security/pages/tls.adoc"];
        vec![
            page("modules/manage/pages/tls.adoc", "manage/tls/", "Encrypt with TLS", &former),
            page("modules/ROOT/pages/index.adoc", "", "Home", &[]),
            page("guide/install.md", "guide/install", "Install it", &[]),
        ]
    }

    fn find(name: &str) -> Option<(usize, Option<String>)> {
        let site = Url::parse("https://docs.example/current/").unwrap();
        let names = Names::collect(&pages(), Some(site));
        names.find(name).map(|it| (it.page, it.fragment.map(str::to_owned)))
    }

    #[test]
    fn a_page_is_found_by_path_and_by_address() {
        for name in [
            "modules/manage/pages/tls.adoc",
            "/modules/manage/pages/tls.adoc",
            "./modules/manage/pages/tls.adoc",
            "https://docs.example/current/manage/tls/",
            "https://DOCS.example/current/manage/tls",
            "http://docs.example/current/manage/tls/index.html",
            "https://docs.example/current/manage/tls/?utm=1",
            "/current/manage/tls/",
            "manage/tls",
            " manage/tls/ ",
            "modules/security/pages/tls.adoc",
            "https://docs.example/current/security/tls/",
        ] {
            assert_eq!(find(name), Some((0, None)), "{name}");
        }
        assert_eq!(find("https://docs.example/current"), Some((1, None)));
        assert_eq!(find("https://docs.example/current/guide/install"), Some((2, None)));
    }

    #[test]
    fn a_fragment_is_handed_back() {
        let found = find("https://docs.example/current/manage/tls/#keys");
        assert_eq!(found, Some((0, Some("keys".into()))));
    }

    #[test]
    fn nothing_outside_the_list_is_found() {
        for name in [
            "../../etc/passwd",
            "/etc/passwd",
            "%2e%2e/%2e%2e/etc/passwd",
            "file:///etc/passwd",
            "https://evil.example/current/manage/tls/",
            "https://docs.example/currently/manage/tls/",
            "https://docs.example@evil.example/current/manage/tls/",
            "modules/manage/pages/../pages/tls.adoc",
            "\0",
            &"a".repeat(1 << 20),
        ] {
            assert_eq!(find(name), None, "{name:.40}");
        }
    }

    #[test]
    fn near_misses_are_suggested() {
        let pages = pages();
        let first = |name: &str| suggestions(name, &pages).into_iter().next();
        assert_eq!(first("guide/instal.md").as_deref(), Some("guide/install.md"));
        assert_eq!(first("encrypt with tls").as_deref(), Some("modules/manage/pages/tls.adoc"));
        assert_eq!(first("https://x.example/a/instal/").as_deref(), Some("guide/install.md"));
        assert_eq!(first("zzzz"), None);
        assert_eq!(first(""), None);
    }
}
