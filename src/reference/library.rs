//! The API reference as the rest of the house sees it: opened once, listed, searched, read, and
//! read again when its files change.

use std::{
    fmt::Write as _,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError, RwLock},
};

use super::error::ReferenceError;
use super::find::{Filter, Finder, Found};
use super::page::{Kind, Page};
use super::render::{self, sheet};
use super::shelf::Shelf;
use super::sources::{self, EVERY_API, OwnDocument, Source};
use crate::docs::watch::{self, Rereads, Watch};
use crate::text::cut;

/// No search finds more pages.
pub const HITS_MAX: usize = 20;

/// No list names more pages: a group of that many is to be searched.
pub const LISTED_MAX: usize = 1_000;

/// The pages of one answer have at most this many characters together, and one page at most
/// [`PAGE_CHARS_MAX`].
pub const ANSWER_CHARS_MAX: usize = 60_000;

/// One page has at most this many characters in one answer; what is longer comes in pieces.
pub const PAGE_CHARS_MAX: usize = 20_000;

/// What an address has behind it where a long page is read on.
const OFFSET: &str = "?offset=";

/// Where the documents lie.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Without one, the document compiled in.
    pub sources: Vec<Source>,
    /// The document compiled in.
    pub own: OwnDocument,
}

/// A page, as lists name it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its address.
    pub url: String,
    /// Its title.
    pub title: String,
    /// What kind of page it is.
    pub kind: Kind,
    /// A sentence about it; may be empty.
    pub description: String,
}

/// What is to be listed.
#[derive(Debug, Clone, Copy)]
pub enum ListRequest<'a> {
    /// All APIs.
    Apis,
    /// What is below the API of this name.
    Api(&'a str),
    /// What is below the page with this address.
    Below(&'a str),
}

/// What became of a request to list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ListAnswer {
    /// The pages.
    Pages {
        /// In the order of the document.
        entries: Vec<Entry>,
        /// How many there are beyond [`LISTED_MAX`].
        left_out: usize,
    },
    /// There is no such API.
    NoSuchApi(NoSuchApi),
    /// There is no such page.
    NoSuchPage(NoSuchPage),
}

/// There is no API of that name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoSuchApi {
    /// The names there are.
    pub names: Vec<String>,
}

/// There is no page with that address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoSuchPage {
    /// The address, cut if it is long.
    pub url: String,
    /// The addresses most like it, best first; may be empty.
    pub suggestions: Vec<String>,
}

/// A question to the reference.
#[derive(Debug, Clone, Copy)]
pub struct SearchRequest<'a> {
    /// Any text; nothing in it is syntax.
    pub text: &'a str,
    /// In the API of this name only; none or `all` means every API.
    pub api: Option<&'a str>,
    /// Pages of this kind only.
    pub kind: Option<Kind>,
}

/// A page that answers a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hit {
    /// Its address.
    pub url: String,
    /// Its title.
    pub title: String,
    /// What kind of page it is.
    pub kind: Kind,
    /// What of it fits the question, in plain text.
    pub excerpt: String,
}

/// A page, or a piece of a long one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadPage {
    /// Its address, as it was given out.
    pub url: String,
    /// Its title.
    pub title: String,
    /// The text, with a note at its end where it goes on.
    pub markdown: String,
}

/// What became of a request to read one address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReadAnswer {
    /// The page.
    Page(ReadPage),
    /// There is no such page.
    NoSuchPage(NoSuchPage),
    /// The page ends before the offset.
    OffsetBeyondEnd {
        /// The address without the offset.
        url: String,
        /// How many characters the page has.
        length: usize,
    },
}

/// All pages of one reading. Never changed, only replaced.
struct Snapshot {
    shelf: Shelf,
    finder: Finder,
}

/// The API reference. Share it in an `Arc`; all its methods take `&self`.
pub struct Reference {
    settings: Settings,
    /// Held for the moment of cloning or replacing the inner `Arc`, never while reading files.
    current: RwLock<Arc<Snapshot>>,
    /// One re-reading at a time: two would need the memory twice and end in either order.
    rereading: Mutex<()>,
}

impl Reference {
    /// Reads all documents. One that is missing or broken is an error that names it: the operator
    /// named it.
    pub fn open(settings: Settings) -> Result<Self, ReferenceError> {
        let current = RwLock::new(Arc::new(snapshot(&settings)?));
        Ok(Self { settings, current, rereading: Mutex::new(()) })
    }

    /// The names of the APIs.
    pub fn api_names(&self) -> Vec<String> {
        names(&self.current().shelf)
    }

    /// How many pages there are.
    pub fn page_count(&self) -> usize {
        self.current().shelf.pages.len()
    }

    /// The pages below another one, or the APIs.
    pub fn list(&self, request: ListRequest<'_>) -> ListAnswer {
        let snapshot = self.current();
        let shelf = &snapshot.shelf;
        let children = match request {
            ListRequest::Apis => &shelf.roots,
            ListRequest::Api(name) => match api_number(shelf, name) {
                Some(number) => &shelf.pages[shelf.roots[number]].children,
                None => return ListAnswer::NoSuchApi(NoSuchApi { names: names(shelf) }),
            },
            ListRequest::Below(url) => match snapshot.finder.page(split_offset(url).0) {
                Some(number) => &shelf.pages[number].children,
                None => return ListAnswer::NoSuchPage(snapshot.no_such_page(url)),
            },
        };
        let shown = children.iter().take(LISTED_MAX);
        let entries = shown.map(|number| entry(&shelf.pages[*number])).collect();
        ListAnswer::Pages { entries, left_out: children.len().saturating_sub(LISTED_MAX) }
    }

    /// The pages that answer a question best, best first, at most [`HITS_MAX`].
    pub fn search(
        &self,
        request: &SearchRequest<'_>,
    ) -> Result<Result<Vec<Hit>, NoSuchApi>, ReferenceError> {
        let snapshot = self.current();
        let shelf = &snapshot.shelf;
        let api = match request.api.filter(|name| !is_every_api(name)) {
            None => None,
            Some(name) => match api_number(shelf, name) {
                Some(number) => Some(number),
                None => return Ok(Err(NoSuchApi { names: names(shelf) })),
            },
        };
        let filter = Filter { api, kind: request.kind };
        let found = snapshot.finder.search(shelf, request.text, filter, HITS_MAX)?;
        let hits = found.into_iter().map(|Found { page, excerpt }| {
            let page = &shelf.pages[page];
            Hit { url: page.url.clone(), title: page.title.clone(), kind: page.kind, excerpt }
        });
        Ok(Ok(hits.collect()))
    }

    /// The pages with these addresses, in their order. Together they have at most
    /// [`ANSWER_CHARS_MAX`] characters; who asks for many gets a smaller piece of each.
    pub fn read(&self, urls: &[&str]) -> Vec<ReadAnswer> {
        let snapshot = self.current();
        let found: Vec<_> = urls.iter().map(|url| snapshot.render(url)).collect();
        let lengths: Vec<usize> = found
            .iter()
            .map(|found| match found {
                Ok(found) => found.text.chars().skip(found.offset).take(PAGE_CHARS_MAX).count(),
                Err(_) => 0,
            })
            .collect();
        let shares = cut::share(&lengths, ANSWER_CHARS_MAX);
        let answers = found.into_iter().zip(shares).map(|(found, share)| match found {
            Ok(found) => found.piece(share),
            Err(missing) => ReadAnswer::NoSuchPage(missing),
        });
        answers.collect()
    }

    /// Whether the settings name documents. Otherwise it is the one compiled in.
    pub fn is_of_settings(&self) -> bool {
        !self.settings.sources.is_empty()
    }

    /// Reads the files again. If that fails, what was there stays.
    pub fn reopen(&self) -> Result<(), ReferenceError> {
        let _one_at_a_time = self.rereading.lock().unwrap_or_else(PoisonError::into_inner);
        let next = Arc::new(snapshot(&self.settings)?);
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = next;
        Ok(())
    }

    /// Reads again whenever a file changes, until the watch is dropped. The document compiled in
    /// never changes, so watching it does nothing.
    pub fn watch(self: &Arc<Self>) -> Result<Watch, ReferenceError> {
        let paths: Vec<PathBuf> = self.settings.sources.iter().map(|it| it.path.clone()).collect();
        let reader: Arc<dyn Rereads> = Arc::clone(self) as _;
        Ok(watch::start(&paths, Arc::downgrade(&reader))?)
    }

    fn current(&self) -> Arc<Snapshot> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Rereads for Reference {
    fn reread(&self) {
        match self.reopen() {
            Ok(()) => tracing::info!(pages = self.page_count(), "API reference read again"),
            Err(error) => {
                let error: &dyn std::error::Error = &error;
                tracing::warn!(error, "API reference not read again, the old one stays");
            }
        }
    }
}

/// A page that was asked for, rendered.
struct Rendered {
    url: String,
    title: String,
    text: String,
    offset: usize,
}

impl Rendered {
    fn piece(self, chars_max: usize) -> ReadAnswer {
        let Self { url, title, text, offset } = self;
        let Some(piece) = sheet::piece(&text, offset, chars_max) else {
            return ReadAnswer::OffsetBeyondEnd { url, length: text.chars().count() };
        };
        let mut markdown = piece.markdown;
        if let Some(next) = piece.next_offset {
            let length = piece.length;
            // Writing to a String cannot fail.
            let _ = write!(
                markdown,
                "\n*This page goes on: {next} of {length} characters are shown. Read on with the \
                 address {url}{OFFSET}{next}*\n"
            );
        }
        ReadAnswer::Page(ReadPage { url, title, markdown })
    }
}

impl Snapshot {
    fn render(&self, url: &str) -> Result<Rendered, NoSuchPage> {
        let (address, offset) = split_offset(url);
        let number = self.finder.page(address).ok_or_else(|| self.no_such_page(url))?;
        let page = &self.shelf.pages[number];
        let text = render::page(&self.shelf, page);
        Ok(Rendered { url: page.url.clone(), title: page.title.clone(), text, offset })
    }

    fn no_such_page(&self, url: &str) -> NoSuchPage {
        let url = cut::head(url, 200).to_owned();
        let suggestions = Finder::suggestions(&self.shelf, &url);
        NoSuchPage { url, suggestions }
    }
}

fn snapshot(settings: &Settings) -> Result<Snapshot, ReferenceError> {
    let shelf = Shelf::of(sources::read(&settings.sources, &settings.own)?)?;
    let finder = Finder::of(&shelf)?;
    Ok(Snapshot { shelf, finder })
}

/// Whether a name stands for every API.
pub fn is_every_api(name: &str) -> bool {
    name.trim().eq_ignore_ascii_case(EVERY_API)
}

fn api_number(shelf: &Shelf, name: &str) -> Option<usize> {
    let name = name.trim();
    shelf.apis.iter().position(|api| api.name.eq_ignore_ascii_case(name))
}

fn names(shelf: &Shelf) -> Vec<String> {
    shelf.apis.iter().map(|api| api.name.clone()).collect()
}

fn entry(page: &Page) -> Entry {
    let Page { url, title, kind, description, .. } = page;
    let mut description = description.clone();
    if *kind == Kind::Group && !page.children.is_empty() {
        let gap = if description.is_empty() { "" } else { " " };
        let count = match page.children.len() {
            1 => "1 page.".to_owned(),
            count => format!("{count} pages."),
        };
        description = format!("{description}{gap}{count}");
    }
    Entry { url: url.clone(), title: title.clone(), kind: *kind, description }
}

/// An address and the character at which reading begins.
fn split_offset(url: &str) -> (&str, usize) {
    let url = url.trim().trim_matches(['<', '>', '`']);
    let Some((address, offset)) = url.split_once(OFFSET) else { return (url, 0) };
    // What is no number leads nowhere, which is then told of the whole address.
    offset.parse().map_or((url, 0), |offset| (address, offset))
}
