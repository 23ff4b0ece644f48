//! The whole way from files to answers.

use std::path::{Path, PathBuf};

use super::library::{ReadAnswer, Reference, Settings};
use super::sources::{OwnDocument, Source};

mod changes;
mod corpus;
mod fixtures;
mod hostile;

fn own(text: &str) -> OwnDocument {
    OwnDocument { name: "own".to_owned(), text: text.to_owned() }
}

/// The API documents of the suite.
fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reference")
}

fn of_source(name: Option<&str>, path: PathBuf) -> Settings {
    let sources = vec![Source { name: name.map(str::to_owned), path }];
    Settings { sources, own: own("") }
}

/// A reference of one document, as if it were compiled in.
fn of_text(text: &str) -> Reference {
    Reference::open(Settings { sources: Vec::new(), own: own(text) }).unwrap()
}

/// A page that is there and is not cut.
fn read(reference: &Reference, url: &str) -> String {
    match reference.read(&[url]).remove(0) {
        ReadAnswer::Page(page) => page.markdown,
        other => panic!("{url}: {other:?}"),
    }
}
