//! Re-indexing when files change.
//!
//! 1. The folders are watched, and where a folder is a link, the place the link lies in: tools
//!    that deploy documentation swap such links instead of touching files.
//! 2. Editors and `git pull` touch many files in a burst, so a change is waited out: only when
//!    the folders have been quiet for `QUIET` is the corpus read again.
//! 3. The folders are watched anew, since a swapped link leads to files not watched yet.

use std::{
    path::PathBuf,
    sync::{
        Arc, Condvar, Mutex, PoisonError, Weak,
        mpsc::{self, Receiver, RecvTimeoutError},
    },
    thread,
    time::Duration,
};

use notify::{Event, RecommendedWatcher, RecursiveMode, Watcher as _};

use super::{error::DocsError, library::Library};

const QUIET: Duration = Duration::from_millis(300);

/// After so many events the corpus is read although the folders never rest: a log written into
/// them must not keep a page out for ever.
const EVENTS_MAX: usize = 10_000;

/// A running watch. Dropping it ends it.
pub struct Watch {
    /// Owns the sending end of the channel its thread waits on, so that both end together. None
    /// if there is nothing to watch.
    _watcher: Option<Arc<Mutex<RecommendedWatcher>>>,
    reindexes: Arc<Reindexes>,
}

/// How often the corpus has been read again, for those who wait for it.
#[derive(Default)]
struct Reindexes {
    count: Mutex<u64>,
    changed: Condvar,
}

impl Watch {
    /// How often the corpus was read again because of a change.
    pub fn reindex_count(&self) -> u64 {
        *self.reindexes.count.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until the corpus was read again more often than `seen`, but not for longer than this.
    /// Returns how often it was.
    pub fn wait_for_reindex(&self, seen: u64, at_most: Duration) -> u64 {
        let count = self.reindexes.count.lock().unwrap_or_else(PoisonError::into_inner);
        let unchanged = |count: &mut u64| *count <= seen;
        let waited = self.reindexes.changed.wait_timeout_while(count, at_most, unchanged);
        *waited.unwrap_or_else(PoisonError::into_inner).0
    }
}

/// Watches these folders for a library. The library is held weakly: a watch does not keep it.
pub(super) fn start(folders: &[PathBuf], library: Weak<Library>) -> Result<Watch, DocsError> {
    let reindexes = Arc::<Reindexes>::default();
    if folders.is_empty() {
        return Ok(Watch { _watcher: None, reindexes });
    }
    let (sender, changes) = mpsc::channel();
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<Event>| {
        // Reading is an event too, and re-indexing reads: it would set itself off for ever. An
        // event the system lost is a change we did not see, so an error counts as one.
        if event.is_ok_and(|event| event.kind.is_access()) {
            return;
        }
        // The receiver is gone only when the library is, and then nobody needs to know.
        let _gone = sender.send(());
    })
    .map_err(DocsError::Watch)?;
    watch_all(&mut watcher, folders).map_err(DocsError::Watch)?;
    let watcher = Arc::new(Mutex::new(watcher));
    let thread = WatchThread {
        changes,
        folders: folders.to_vec(),
        library,
        watcher: Arc::downgrade(&watcher),
        reindexes: Arc::clone(&reindexes),
    };
    thread::Builder::new()
        .name("docs-watch".to_owned())
        .spawn(move || thread.run())
        .map_err(DocsError::WatchThread)?;
    Ok(Watch { _watcher: Some(watcher), reindexes })
}

fn watch_all(watcher: &mut RecommendedWatcher, folders: &[PathBuf]) -> notify::Result<()> {
    for folder in folders {
        watcher.watch(folder, RecursiveMode::Recursive)?;
        if folder.is_symlink()
            && let Some(parent) = folder.parent().filter(|parent| parent.is_dir())
        {
            watcher.watch(parent, RecursiveMode::NonRecursive)?;
        }
    }
    Ok(())
}

struct WatchThread {
    changes: Receiver<()>,
    folders: Vec<PathBuf>,
    library: Weak<Library>,
    /// Weak, because the thread ends when the watcher is dropped.
    watcher: Weak<Mutex<RecommendedWatcher>>,
    reindexes: Arc<Reindexes>,
}

impl WatchThread {
    fn run(&self) {
        while self.changes.recv().is_ok() && self.wait_for_quiet().is_ok() {
            let Some(library) = self.library.upgrade() else { return };
            match library.reindex() {
                Ok(()) => tracing::info!(pages = library.page_count(), "documentation re-indexed"),
                Err(error) => {
                    tracing::warn!(%error, "documentation not re-indexed, the old one stays");
                }
            }
            self.watch_anew();
            *self.reindexes.count.lock().unwrap_or_else(PoisonError::into_inner) += 1;
            self.reindexes.changed.notify_all();
        }
    }

    /// Returns when no change has come for a while, or with an error when none can come any more.
    fn wait_for_quiet(&self) -> Result<(), RecvTimeoutError> {
        for _ in 0..EVENTS_MAX {
            match self.changes.recv_timeout(QUIET) {
                Ok(()) => {}
                Err(RecvTimeoutError::Timeout) => return Ok(()),
                Err(gone @ RecvTimeoutError::Disconnected) => return Err(gone),
            }
        }
        Ok(())
    }

    fn watch_anew(&self) {
        let Some(watcher) = self.watcher.upgrade() else { return };
        let mut watcher = watcher.lock().unwrap_or_else(PoisonError::into_inner);
        if let Err(error) = watch_all(&mut watcher, &self.folders) {
            tracing::warn!(%error, "documentation folders no longer watched in full");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::docs::library::Settings;

    const DEADLINE: Duration = Duration::from_secs(30);

    fn library(folder: &std::path::Path) -> Arc<Library> {
        let settings = Settings { folders: vec![folder.to_path_buf()], site_url: None };
        Arc::new(Library::open(settings).unwrap())
    }

    /// Waits until the library has so many pages, however many re-indexes that takes.
    fn wait_for_pages(watch: &Watch, library: &Library, pages: usize) {
        let mut seen = 0;
        while library.page_count() != pages {
            let count = watch.wait_for_reindex(seen, DEADLINE);
            assert!(count > seen, "still {} pages", library.page_count());
            seen = count;
        }
    }

    #[test]
    fn a_new_page_is_found_without_being_told() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("a.md"), "# A\n\na\n").unwrap();
        let library = library(folder.path());
        let watch = library.watch().unwrap();
        fs::create_dir(folder.path().join("sub")).unwrap();
        fs::write(folder.path().join("sub/b.md"), "# B\n\nb\n").unwrap();
        wait_for_pages(&watch, &library, 2);
        fs::remove_file(folder.path().join("a.md")).unwrap();
        wait_for_pages(&watch, &library, 1);
    }

    #[cfg(unix)]
    #[test]
    fn a_swapped_link_is_noticed() {
        use std::os::unix::fs::symlink;
        let place = tempfile::tempdir().unwrap();
        let at = |name: &str| place.path().join(name);
        for (version, pages) in [("v1", 1), ("v2", 2)] {
            fs::create_dir(at(version)).unwrap();
            for page in 0..pages {
                fs::write(at(version).join(format!("{page}.md")), "# P\n\np\n").unwrap();
            }
        }
        symlink(at("v1"), at("current")).unwrap();
        let library = library(&at("current"));
        let watch = library.watch().unwrap();
        symlink(at("v2"), at("next")).unwrap();
        fs::rename(at("next"), at("current")).unwrap();
        wait_for_pages(&watch, &library, 2);
        fs::write(at("v2").join("new.md"), "# N\n\nn\n").unwrap();
        wait_for_pages(&watch, &library, 3);
    }

    #[test]
    fn the_manual_needs_no_watch() {
        let library = Arc::new(Library::open(Settings::default()).unwrap());
        let watch = library.watch().unwrap();
        assert_eq!(watch.wait_for_reindex(0, Duration::ZERO), 0);
    }

    #[test]
    fn a_watch_does_not_keep_the_library() {
        let folder = tempfile::tempdir().unwrap();
        let library = library(folder.path());
        let _watch = library.watch().unwrap();
        let weak = Arc::downgrade(&library);
        drop(library);
        assert!(weak.upgrade().is_none());
    }
}
