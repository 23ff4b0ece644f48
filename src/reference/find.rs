//! Finding pages: by address, by name, by path, by words.
//!
//! Who asks for `get_broker`, `GET /v1/brokers/3` or `BrokerResponse` names one thing, and that
//! thing comes first; what the words find follows.

use std::collections::{HashMap, HashSet};

use super::error::ReferenceError;
use super::page::{Kind, Page, SCHEME, Subject};
use super::render;
use super::shelf::Shelf;
use super::spec::METHODS;
use crate::text::{
    cut,
    index::{EntryKind, FieldSpec, IndexBuilder, Phrases, TextIndex},
    likeness::{LIKENESS_MIN, Pairs},
    question::Question,
};

/// How many near misses are offered for an address that is not found.
const SUGGESTIONS_MAX: usize = 5;

/// No address is longer; what is, is not looked up at all. In bytes.
const URL_BYTES_MAX: usize = 2_048;

/// What is indexed of one page besides its names has at most this many bytes.
const BODY_BYTES_MAX: usize = 16_000;

/// An excerpt has at most this many characters.
const EXCERPT_CHARS_MAX: usize = 300;

/// Of one page, so many lines are looked through for an excerpt.
const LINES_MAX: usize = 200;

/// How much a term counts where it is found: in what a thing is called, in its path, in its
/// description, anywhere in it, in the name of its API.
const FIELDS: [FieldSpec; 5] = [
    FieldSpec { name: "names", boost: 2.5, phrases: Phrases::Counted },
    FieldSpec { name: "path", boost: 1.8, phrases: Phrases::Ignored },
    FieldSpec { name: "about", boost: 1.3, phrases: Phrases::Counted },
    FieldSpec { name: "body", boost: 0.8, phrases: Phrases::Counted },
    FieldSpec { name: "api", boost: 0.4, phrases: Phrases::Ignored },
];

/// All pages are entries of one kind.
const KIND: EntryKind = EntryKind { fields: &FIELDS, tie_breaker: 0.25 };
const PAGES: usize = 0;

/// Everything pages are found by.
pub struct Finder {
    /// By address, and by address in lower case.
    addresses: HashMap<String, usize>,
    /// By name in lower case, in the order of pages.
    names: HashMap<String, Vec<usize>>,
    index: TextIndex,
}

/// A page that answers a question.
pub struct Found {
    /// Its number.
    pub page: usize,
    /// The line of it that says most about the question.
    pub excerpt: String,
}

/// Which pages are looked at.
#[derive(Debug, Clone, Copy, Default)]
pub struct Filter {
    /// Those of the API of this number only.
    pub api: Option<usize>,
    /// Those of this kind only.
    pub kind: Option<Kind>,
}

impl Filter {
    fn keeps(self, page: &Page) -> bool {
        self.api.is_none_or(|api| page.api == api) && self.kind.is_none_or(|kind| page.kind == kind)
    }
}

impl Finder {
    /// Collects the names of all pages and indexes their words.
    pub fn of(shelf: &Shelf) -> Result<Self, ReferenceError> {
        let mut addresses = HashMap::new();
        let mut names: HashMap<String, Vec<usize>> = HashMap::new();
        let mut builder = IndexBuilder::new(&[KIND])?;
        for (number, page) in shelf.pages.iter().enumerate() {
            addresses.insert(page.url.clone(), number);
            let called = called(shelf, page);
            for name in &called {
                let pages = names.entry(name.to_lowercase()).or_default();
                if pages.last() != Some(&number) {
                    pages.push(number);
                }
            }
            let path = path_of(page).unwrap_or_default();
            let body = render::words(shelf, page, BODY_BYTES_MAX);
            let names = format!("{}\n{}", page.title, called.join("\n"));
            let api = &shelf.apis[page.api].name;
            builder.add(PAGES, &[&names, path, &page.description, &body, api])?;
        }
        for (number, page) in shelf.pages.iter().enumerate() {
            addresses.entry(page.url.to_lowercase()).or_insert(number);
        }
        Ok(Self { addresses, names, index: builder.finish()? })
    }

    /// The page with this address. Nothing in an address can reach a file: it is in this map, or
    /// it is nothing.
    pub fn page(&self, url: &str) -> Option<usize> {
        let url = url.trim().trim_matches(['<', '>', '`']).trim_end_matches('/');
        if url.len() > URL_BYTES_MAX {
            return None;
        }
        let known = |url: &str| self.addresses.get(url).copied();
        known(url)
            .or_else(|| known(&url.to_lowercase()))
            .or_else(|| known(&format!("{SCHEME}{}", url.trim_start_matches('/')).to_lowercase()))
    }

    /// The addresses most like one that is not there, best first.
    pub fn suggestions(shelf: &Shelf, url: &str) -> Vec<String> {
        let url = cut::head(url, 300);
        let wanted = Pairs::of(url.trim_start_matches(SCHEME));
        let wanted_end = Pairs::of(last_part(url));
        let alike = |page: &Page| {
            let whole = Pairs::of(page.url.trim_start_matches(SCHEME));
            // The name says more than the way to it.
            let end = Pairs::of(last_part(&page.url));
            (wanted.likeness(&whole) + 2.0 * wanted_end.likeness(&end)) / 3.0
        };
        let mut likely: Vec<(f32, &str)> = shelf
            .pages
            .iter()
            .map(|page| (alike(page), page.url.as_str()))
            .filter(|(likeness, _)| *likeness >= LIKENESS_MIN)
            .collect();
        likely.sort_by(|(a, _), (b, _)| b.total_cmp(a));
        likely.truncate(SUGGESTIONS_MAX);
        likely.into_iter().map(|(_, url)| url.to_owned()).collect()
    }

    /// The pages that answer a question best, best first.
    pub fn search(
        &self,
        shelf: &Shelf,
        text: &str,
        filter: Filter,
        limit: usize,
    ) -> Result<Vec<Found>, ReferenceError> {
        let question = self.index.question(PAGES, text)?;
        let keeps: Vec<bool> = shelf.pages.iter().map(|page| filter.keeps(page)).collect();
        let mut found = self.named(text);
        found.extend(by_path(shelf, text));
        found.retain(|page| keeps[*page]);
        let of_filter = keeps.clone();
        let by_words =
            self.index.search_among(PAGES, &question, limit, move |page| of_filter[page])?;
        found.extend(by_words.into_iter().map(|(page, _)| page));
        let mut seen = HashSet::new();
        found.retain(|page| seen.insert(*page));
        found.truncate(limit);
        let excerpt = |page| Found { page, excerpt: excerpt(shelf, page, &question) };
        Ok(found.into_iter().map(excerpt).collect())
    }

    /// The pages whose name is the whole question.
    fn named(&self, text: &str) -> Vec<usize> {
        let words: Vec<&str> = text.split_whitespace().collect();
        let name = words.join(" ").trim_matches(['`', '"', '\'']).to_lowercase();
        self.names.get(&name).cloned().unwrap_or_default()
    }
}

/// The line of a page that says most about a question.
fn excerpt(shelf: &Shelf, number: usize, question: &Question) -> String {
    let page = &shelf.pages[number];
    let body = render::words(shelf, page, BODY_BYTES_MAX);
    let words = question.words();
    // A stem is the beginning of its words, near enough for choosing a line.
    let matches = |line: &str| -> usize {
        let line = line.to_lowercase();
        words.iter().filter(|word| word.forms().any(|form| line.contains(form))).count()
    };
    let lines = body.lines().map(str::trim).filter(|line| line.len() > 1);
    // The first of the best: outer words come before inner ones.
    let mut best = (matches(&page.description), page.description.as_str());
    for line in lines.take(LINES_MAX) {
        if best.0 == words.len() && !best.1.is_empty() {
            break;
        }
        let count = matches(line);
        if count > best.0 || best.1.is_empty() {
            best = (count, line);
        }
    }
    let line = super::shelf::plain_line(best.1, EXCERPT_CHARS_MAX);
    if line.is_empty() { page.title.clone() } else { line }
}

/// What a page can be called by, each as it is written.
fn called(shelf: &Shelf, page: &Page) -> Vec<String> {
    let mut names = vec![page.url.clone()];
    match &page.subject {
        Subject::Operation(at) | Subject::Webhook(at) => {
            names.push(at.line());
            names.push(at.path.clone());
            let operation = shelf.operation(page).map(|operation| operation.node.node);
            for key in ["operationId", "summary"] {
                if let Some(name) = operation.and_then(|it| it.text_of(key)) {
                    names.push(name.to_owned());
                    names.extend(last_name(name));
                }
            }
        }
        Subject::Schema { name, .. } => {
            names.push(name.clone());
            names.extend(last_name(name));
        }
        Subject::Api => {
            names.push(shelf.apis[page.api].name.clone());
            names.push(page.title.clone());
        }
        Subject::Document(_) | Subject::Group { .. } | Subject::Topic(_) => {
            names.push(page.title.clone());
        }
    }
    names
}

/// The last part of a name with dots in it: `GetBroker` of `admin.v2.BrokerService.GetBroker`.
fn last_name(name: &str) -> Option<String> {
    let is_dotted = name.contains('.') && !name.contains(char::is_whitespace);
    let last = name.rsplit('.').next().filter(|last| is_dotted && !last.is_empty())?;
    Some(last.to_owned())
}

fn path_of(page: &Page) -> Option<&str> {
    match &page.subject {
        Subject::Operation(at) => Some(&at.path),
        _ => None,
    }
}

/// The operations a path in the question leads to: first those whose path it is, with any value
/// where a template has a parameter, then those whose path ends or begins with it.
fn by_path(shelf: &Shelf, text: &str) -> Vec<usize> {
    let words: Vec<&str> = text.split_whitespace().take(32).collect();
    let Some(path) = words.iter().find(|word| word.starts_with('/') && word.len() > 1) else {
        return Vec::new();
    };
    let method = words.iter().map(|word| word.to_lowercase());
    let method = method.into_iter().find(|word| METHODS.contains(&word.as_str()));
    let wanted = segments(path);
    let mut found = Vec::new();
    for (number, page) in shelf.pages.iter().enumerate() {
        let Subject::Operation(at) = &page.subject else { continue };
        if method.as_ref().is_some_and(|method| *method != at.method) {
            continue;
        }
        let template = segments(&at.path);
        let is_at = |from: usize| {
            let part = template.get(from..from + wanted.len());
            part.is_some_and(|part| part.iter().zip(&wanted).all(|(a, b)| fits(a, b)))
        };
        let surplus = template.len().checked_sub(wanted.len());
        let rank = match surplus {
            _ if template == wanted => 0,
            Some(0) if is_at(0) => 1,
            Some(before) if is_at(before) => 2,
            Some(_) if is_at(0) => 3,
            Some(before) if (0..before).any(is_at) => 4,
            Some(_) | None => continue,
        };
        found.push((rank, surplus.unwrap_or_default(), number));
    }
    found.sort_unstable();
    found.into_iter().map(|(_, _, number)| number).collect()
}

fn segments(path: &str) -> Vec<String> {
    let path = path.split('?').next().unwrap_or(path).trim_end_matches([',', '.', ';']);
    path.split('/').filter(|part| !part.is_empty()).map(str::to_lowercase).collect()
}

/// Whether a part of a question fits a part of a template.
fn fits(template: &str, wanted: &str) -> bool {
    let is_parameter = |part: &str| part.starts_with('{') && part.ends_with('}');
    template == wanted || is_parameter(template) || (is_parameter(wanted) && is_parameter(template))
}

fn last_part(url: &str) -> &str {
    url.trim_end_matches('/').rsplit('/').next().unwrap_or(url)
}
