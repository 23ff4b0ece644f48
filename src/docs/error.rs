//! What can break in this room. An expected "no such page" is an answer, not one of these.

use std::{fmt, io, path::PathBuf};

use crate::text::index::IndexError;

/// A fault while building, searching or watching the corpus.
#[derive(Debug)]
pub enum DocsError {
    /// A folder named in the settings is not there, or is not a folder.
    MissingFolder {
        /// As the settings name it.
        path: PathBuf,
    },
    /// A folder could not be listed.
    Read {
        /// The folder that could not be listed, which may lie inside one of the settings.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A re-index found no page at all where there were some before.
    NoPages,
    /// The search index could not be built or searched.
    Index(IndexError),
    /// The folders cannot be watched for changes.
    Watch(notify::Error),
    /// The thread that re-indexes on change could not be started.
    WatchThread(io::Error),
}

impl fmt::Display for DocsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MissingFolder { path } => {
                write!(f, "the documentation folder {} does not exist", path.display())
            }
            Self::Read { path, .. } => write!(f, "cannot read {}", path.display()),
            Self::NoPages => f.write_str("no page is left in the documentation folders"),
            Self::Index(_) => f.write_str("the search index failed"),
            Self::Watch(_) => f.write_str("cannot watch the documentation folders"),
            Self::WatchThread(_) => f.write_str("cannot start the re-index thread"),
        }
    }
}

impl std::error::Error for DocsError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::MissingFolder { .. } | Self::NoPages => None,
            Self::Read { source, .. } | Self::WatchThread(source) => Some(source),
            Self::Index(source) => Some(source),
            Self::Watch(source) => Some(source),
        }
    }
}

impl From<IndexError> for DocsError {
    fn from(source: IndexError) -> Self {
        Self::Index(source)
    }
}
