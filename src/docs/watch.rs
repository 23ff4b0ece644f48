//! Re-indexing when files change.
//!
//! 1. The folders are watched, and every name on the way to them: tools that deploy documentation
//!    swap a link or a whole folder, at any height, instead of touching files.
//! 2. Editors and `git pull` touch many files in a burst, so a change is waited out: only when
//!    the folders have been quiet for `QUIET` is the corpus read again.
//! 3. Before that the folders are watched anew, since their names may lead to files that are not
//!    watched yet. What changes while the corpus is read is then a change like any other.

use std::{
    path::PathBuf,
    sync::{
        Arc, Condvar, Mutex, PoisonError, Weak,
        mpsc::{self, Receiver, RecvTimeoutError, Sender},
    },
    thread,
    time::Duration,
};

use notify::{Event, RecommendedWatcher, RecursiveMode, Watcher as _};

use super::{error::DocsError, ground::Ground};

const QUIET: Duration = Duration::from_millis(300);

/// What the system would not watch, its limits being reached, is watched again after this.
const WATCHED_AGAIN_AFTER: Duration = Duration::from_mins(1);

/// After so many events the corpus is read although the folders never rest: a log written into
/// them must not keep a page out for ever.
const EVENTS_MAX: usize = 10_000;

/// Who reads the files, and reads them again when they have changed.
pub trait Rereads: Send + Sync + 'static {
    /// Reads everything again; if that fails, what was there stays. Says in the log which of the
    /// two it was, for nobody else hears of it.
    fn reread(&self);
}

/// A running watch. Dropping it ends it.
pub struct Watch {
    /// Owns the sending ends of the channel its thread waits on, so that both end together. None
    /// if there is nothing to watch.
    _watching: Option<Arc<Watching>>,
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

/// Watches these folders for their reader, which is held weakly: a watch does not keep it. A file
/// may stand for a folder, and is watched through the one it lies in.
pub fn start(folders: &[PathBuf], reader: Weak<dyn Rereads>) -> Result<Watch, DocsError> {
    let reindexes = Arc::<Reindexes>::default();
    if folders.is_empty() {
        return Ok(Watch { _watching: None, reindexes });
    }
    let (sender, changes) = mpsc::channel();
    let mut watcher = watcher_of_way(folders, &sender).map_err(DocsError::Watch)?;
    watch_folders(&mut watcher, folders).map_err(DocsError::Watch)?;
    let watcher = Mutex::new(Some(watcher));
    let watching = Arc::new(Watching { folders: folders.to_vec(), sender, watcher });
    let thread = WatchThread {
        changes,
        reader,
        watching: Arc::downgrade(&watching),
        reindexes: Arc::clone(&reindexes),
    };
    thread::Builder::new()
        .name("files-watch".to_owned())
        .spawn(move || thread.run())
        .map_err(DocsError::WatchThread)?;
    Ok(Watch { _watching: Some(watching), reindexes })
}

/// What is watched, and by what.
struct Watching {
    folders: Vec<PathBuf>,
    sender: Sender<()>,
    /// None when it could not be made anew.
    watcher: Mutex<Option<RecommendedWatcher>>,
}

impl Watching {
    /// Watches what the names of the folders lead to now. By a new watcher: the old one would go on
    /// watching what was moved away, under names that are another's now. Whether all is watched.
    fn begin_anew(&self) -> bool {
        let mut current = self.watcher.lock().unwrap_or_else(PoisonError::into_inner);
        // Dropped first, so that the system's limits need not allow for two.
        *current = None;
        match watcher_of_way(&self.folders, &self.sender) {
            Ok(mut watcher) => {
                let watched = watch_folders(&mut watcher, &self.folders);
                *current = Some(watcher);
                if let Err(error) = &watched {
                    tracing::warn!(%error, "documentation folders no longer watched in full");
                }
                watched.is_ok()
            }
            Err(error) => {
                tracing::warn!(%error, "documentation folders no longer watched");
                false
            }
        }
    }
}

/// Watches the way to each of the folders.
fn watcher_of_way(folders: &[PathBuf], sender: &Sender<()>) -> notify::Result<RecommendedWatcher> {
    let ground = Ground::of(folders);
    let above = ground.above();
    let sender = sender.clone();
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<Event>| {
        // An event the system lost is a change we did not see, so an error counts as one.
        if event.is_ok_and(|event| !ground.concerns(&event)) {
            return;
        }
        // The receiver is gone only when the reader is, and then nobody needs to know.
        let _gone = sender.send(());
    })?;
    for folder in above {
        // What is not there yet, or may not be listed, is no reason not to watch the rest.
        if let Err(error) = watcher.watch(&folder, RecursiveMode::NonRecursive) {
            tracing::debug!(%error, "a folder above the documentation is not watched");
        }
    }
    Ok(watcher)
}

/// Watches the folders that are there, with all below them. After the way, which may lead through
/// one of them: the last mode is the one that counts.
fn watch_folders(watcher: &mut RecommendedWatcher, folders: &[PathBuf]) -> notify::Result<()> {
    let mut watched = Ok(());
    for folder in folders.iter().filter(|folder| folder.is_dir()) {
        // One that cannot be watched is no reason not to watch the others.
        watched = watched.and(watcher.watch(folder, RecursiveMode::Recursive));
    }
    watched
}

struct WatchThread {
    changes: Receiver<()>,
    reader: Weak<dyn Rereads>,
    /// Weak, because the thread ends when the watch is dropped.
    watching: Weak<Watching>,
    reindexes: Arc<Reindexes>,
}

impl WatchThread {
    fn run(&self) {
        let mut is_watching_all = true;
        while self.wait_for_change(is_watching_all).is_ok() && self.wait_for_quiet().is_ok() {
            let Some(reader) = self.reader.upgrade() else { return };
            let Some(watching) = self.watching.upgrade() else { return };
            is_watching_all = watching.begin_anew();
            // Not kept while the corpus is read: whoever drops the watch ends it.
            drop(watching);
            reader.reread();
            *self.reindexes.count.lock().unwrap_or_else(PoisonError::into_inner) += 1;
            self.reindexes.changed.notify_all();
        }
    }

    /// What is not watched may change unseen, so it is read again after a while, and watched if it
    /// can be.
    fn wait_for_change(&self, is_watching_all: bool) -> Result<(), RecvTimeoutError> {
        if is_watching_all {
            return Ok(self.changes.recv()?);
        }
        match self.changes.recv_timeout(WATCHED_AGAIN_AFTER) {
            Err(RecvTimeoutError::Timeout) => Ok(()),
            changed => changed,
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
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use super::*;
    use crate::docs::library::{Library, Settings};

    const DEADLINE: Duration = Duration::from_secs(30);

    fn library(folder: &Path) -> Arc<Library> {
        let settings = Settings { folders: vec![folder.to_path_buf()], site_url: None };
        Arc::new(Library::open(settings).unwrap())
    }

    /// Makes a folder, or adds to it, until it has so many pages.
    fn fill(folder: &Path, pages: usize) {
        fs::create_dir_all(folder).unwrap();
        for page in 0..pages {
            fs::write(folder.join(format!("{page}.md")), "# P\n\np\n").unwrap();
        }
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
        fill(&at("v1"), 1);
        fill(&at("v2"), 2);
        symlink(at("v1"), at("current")).unwrap();
        let library = library(&at("current"));
        let watch = library.watch().unwrap();
        symlink(at("v2"), at("next")).unwrap();
        fs::rename(at("next"), at("current")).unwrap();
        wait_for_pages(&watch, &library, 2);
        fs::write(at("v2").join("new.md"), "# N\n\nn\n").unwrap();
        wait_for_pages(&watch, &library, 3);
    }

    #[cfg(unix)]
    #[test]
    fn a_link_above_the_folder_is_noticed_when_it_is_swapped() {
        use std::os::unix::fs::symlink;
        let place = tempfile::tempdir().unwrap();
        let at = |name: &str| place.path().join(name);
        fill(&at("v1/site/docs"), 1);
        fill(&at("v2/site/docs"), 2);
        symlink("v1", at("current")).unwrap();
        let library = library(&at("current/site/docs"));
        let watch = library.watch().unwrap();
        symlink("v2", at("next")).unwrap();
        fs::rename(at("next"), at("current")).unwrap();
        wait_for_pages(&watch, &library, 2);
        fill(&at("v2/site/docs"), 3);
        wait_for_pages(&watch, &library, 3);
    }

    #[test]
    fn a_folder_that_goes_and_comes_back_is_watched_again() {
        let place = tempfile::tempdir().unwrap();
        let folder = place.path().join("site/docs");
        fill(&folder, 1);
        let library = library(&folder);
        let watch = library.watch().unwrap();
        fs::remove_dir_all(place.path().join("site")).unwrap();
        assert!(watch.wait_for_reindex(0, DEADLINE) > 0);
        fill(&folder, 2);
        wait_for_pages(&watch, &library, 2);
        fill(&folder, 3);
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
