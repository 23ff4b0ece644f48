//! What can break in this room. An unknown page is an answer, not one of these.

use std::{fmt, io, path::PathBuf};

use crate::docs::error::DocsError;
use crate::text::index::IndexError;

/// A fault while reading, searching or watching the API documents.
#[derive(Debug)]
pub enum ReferenceError {
    /// A file or folder named in the settings is not there.
    Missing {
        /// As the settings name it.
        path: PathBuf,
    },
    /// A folder named in the settings has no OpenAPI document in it, at any depth.
    NoDocument {
        /// The folder.
        path: PathBuf,
    },
    /// A file could not be read.
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file is not what it must be.
    Broken {
        /// The file.
        path: PathBuf,
        /// What is wrong, in plain words.
        message: String,
    },
    /// The name of an API cannot be used.
    Name {
        /// The name.
        name: String,
        /// What is wrong with it, in plain words.
        message: &'static str,
    },
    /// There are more pages than can be held.
    TooManyPages {
        /// How many there may be.
        max: usize,
    },
    /// The search index could not be built or searched.
    Index(IndexError),
    /// A folder could not be listed, or the files cannot be watched for changes.
    Files(DocsError),
}

impl fmt::Display for ReferenceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing { path } => write!(f, "{} does not exist", path.display()),
            Self::NoDocument { path } => {
                write!(f, "there is no OpenAPI document in {}", path.display())
            }
            Self::Read { path, .. } => write!(f, "cannot read {}", path.display()),
            Self::Broken { path, message } => write!(f, "{}: {message}", path.display()),
            Self::Name { name, message } => write!(f, "the API name {name:?} {message}"),
            Self::TooManyPages { max } => {
                write!(f, "the documents have more than {max} operations and schemas")
            }
            Self::Index(_) => f.write_str("the search index of the API reference failed"),
            Self::Files(_) => f.write_str("the files of the API reference"),
        }
    }
}

impl std::error::Error for ReferenceError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Read { source, .. } => Some(source),
            Self::Index(source) => Some(source),
            Self::Files(source) => Some(source),
            Self::Missing { .. }
            | Self::NoDocument { .. }
            | Self::Broken { .. }
            | Self::Name { .. }
            | Self::TooManyPages { .. } => None,
        }
    }
}

impl From<IndexError> for ReferenceError {
    fn from(source: IndexError) -> Self {
        Self::Index(source)
    }
}

impl From<DocsError> for ReferenceError {
    fn from(source: DocsError) -> Self {
        Self::Files(source)
    }
}
