//! The corpus as the rest of the house sees it: opened once, searched, read, re-indexed.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError, RwLock},
};

use url::Url;

use super::{
    corpus,
    error::DocsError,
    index::{SectionAddress, SectionIndex},
    names::Names,
    page::{Page, with_anchor},
    rank,
    read::{self, ReadAnswer, ReadRequest},
    watch::{self, Rereads, Watch},
};
use crate::text::cut;

/// No answer holds more sections, whatever is asked for.
const HITS_MAX: usize = 50;

/// How many candidates are ranked for each section of the answer, so that enough remain when
/// repeated pages and texts are passed over.
const CANDIDATES_PER_HIT: usize = 8;

/// Where the corpus lies and where the public reads it.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// Without a folder, the manual compiled into the binary.
    pub folders: Vec<PathBuf>,
    /// The public address the folders are published under.
    pub site_url: Option<Url>,
}

/// A question to the corpus.
#[derive(Debug, Clone, Copy)]
pub struct SearchQuery<'a> {
    /// Any text; nothing in it is syntax.
    pub text: &'a str,
    /// How many sections the answer may have.
    pub limit: usize,
    /// How many characters the texts of the answer may have together.
    pub max_chars: usize,
}

/// A section that answers a question.
#[derive(Debug, Clone, PartialEq)]
pub struct SectionHit {
    /// The title of its page.
    pub title: String,
    /// The path of its page, relative to its folder.
    pub path: String,
    /// The public address of the section, if the site has one.
    pub url: Option<String>,
    /// The headings that lead to it, outermost first, joined by `" > "`. Empty for the text above
    /// the first section of a page.
    pub heading: String,
    /// Its Markdown, cut to its part of the budget.
    pub text: String,
    /// Higher is better; comparable within one answer only.
    pub score: f32,
}

/// All pages of one reading of the folders, and their index. Never changed, only replaced.
pub(super) struct Snapshot {
    pub pages: Vec<Page>,
    pub names: Names,
    index: SectionIndex,
}

impl Snapshot {
    /// Names and indexes these pages.
    pub fn of(pages: Vec<Page>, site_url: Option<Url>) -> Result<Self, DocsError> {
        let names = Names::collect(&pages, site_url);
        let index = SectionIndex::build(&pages, &names)?;
        Ok(Self { pages, names, index })
    }
}

/// The corpus. Share it in an `Arc`; all its methods take `&self`.
pub struct Library {
    settings: Settings,
    /// Held for the moment of cloning or replacing the inner `Arc`, never while indexing.
    current: RwLock<Arc<Snapshot>>,
    /// One re-index at a time: two would need the memory twice and end in either order.
    reindexing: Mutex<()>,
}

impl Library {
    /// Reads and indexes the corpus. A folder that is missing is an error: the operator named it.
    pub fn open(settings: Settings) -> Result<Self, DocsError> {
        let current = RwLock::new(Arc::new(snapshot(&settings)?));
        Ok(Self { settings, current, reindexing: Mutex::new(()) })
    }

    /// How many pages there are.
    pub fn page_count(&self) -> usize {
        self.current().pages.len()
    }

    /// How many sections can be found.
    pub fn section_count(&self) -> usize {
        self.current().index.section_count()
    }

    /// The sections that answer a question best, best first. Nothing found is an empty answer.
    pub fn search(&self, query: &SearchQuery) -> Result<Vec<SectionHit>, DocsError> {
        let snapshot = self.current();
        let limit = query.limit.min(HITS_MAX);
        let candidates = snapshot.index.search(query.text, limit * CANDIDATES_PER_HIT)?;
        let chosen = rank::best(&snapshot.pages, &candidates, limit);
        Ok(present(&snapshot.pages, &chosen, query.max_chars))
    }

    /// A page or a section of it. A page that does not exist is an answer, not an error.
    pub fn read(&self, request: &ReadRequest) -> Result<ReadAnswer, DocsError> {
        Ok(read::read(&self.current(), request))
    }

    /// Reads the folders again. If that fails, or finds them empty, what was there stays.
    pub fn reindex(&self) -> Result<(), DocsError> {
        let _one_at_a_time = self.reindexing.lock().unwrap_or_else(PoisonError::into_inner);
        let next = snapshot(&self.settings)?;
        // A volume that is being replaced looks empty for a moment; a corpus does not become so.
        if next.pages.is_empty() && self.page_count() > 0 {
            return Err(DocsError::NoPages);
        }
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(next);
        Ok(())
    }

    /// Re-indexes whenever a file in the folders changes, until the watch is dropped. The manual
    /// compiled in never changes, so watching it does nothing.
    pub fn watch(self: &Arc<Self>) -> Result<Watch, DocsError> {
        let reader: Arc<dyn Rereads> = Arc::clone(self) as _;
        watch::start(&self.settings.folders, Arc::downgrade(&reader))
    }

    fn current(&self) -> Arc<Snapshot> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Rereads for Library {
    fn reread(&self) {
        match self.reindex() {
            Ok(()) => tracing::info!(pages = self.page_count(), "documentation re-indexed"),
            Err(error) => {
                tracing::warn!(%error, "documentation not re-indexed, the old one stays");
            }
        }
    }
}

fn snapshot(settings: &Settings) -> Result<Snapshot, DocsError> {
    let pages = corpus::read(&settings.folders, settings.site_url.as_ref())?;
    Snapshot::of(pages, settings.site_url.clone())
}

fn present(pages: &[Page], chosen: &[(SectionAddress, f32)], max_chars: usize) -> Vec<SectionHit> {
    let text = |at: &SectionAddress| {
        let document = &pages[at.page].document;
        let body = document.body(at.section);
        // A landing page may have no words of its own; its description is what it says.
        if body.is_empty() { document.description.as_str() } else { body }
    };
    // No text can use more than the whole budget, so longer ones need not be counted to the end.
    let length = |at: &SectionAddress| text(at).chars().take(max_chars).count();
    let lengths: Vec<usize> = chosen.iter().map(|(at, _)| length(at)).collect();
    let shares = cut::share(&lengths, max_chars);
    let hits = chosen.iter().zip(shares);
    hits.map(|((at, score), share)| {
        let page = &pages[at.page];
        let anchor = match at.section {
            0 => "",
            section => page.document.sections[section].anchor.as_str(),
        };
        SectionHit {
            title: page.document.title.clone(),
            path: page.path.clone(),
            url: page.url.as_ref().map(|url| with_anchor(url, anchor)),
            heading: page.document.trail(at.section),
            text: cut::head(text(at), share).to_owned(),
            score: *score,
        }
    })
    .collect()
}

#[cfg(test)]
mod tests;
