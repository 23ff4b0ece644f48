//! What the AsciiDoc reader asks of the world around a page.
//!
//! The reader itself opens no file and knows no layout, so it can be tried on any text.

use std::rc::Rc;

/// A file a page includes.
pub struct Included {
    /// Where it lies; includes inside it are resolved from there.
    pub path: String,
    /// What stands in it, whole: the reader itself takes the parts that were asked for.
    pub text: Rc<str>,
}

/// A page that another one links to.
pub struct LinkTarget {
    /// Shown where the reference has no text of its own.
    pub title: String,
    /// Where the link leads: an address, or a path that can be read.
    pub address: String,
}

/// The folder of pages as its AsciiDoc pages see it.
pub trait Site {
    /// The document attributes every page of this place starts with; no value means unset.
    fn attributes(&self, path: &str) -> Vec<(String, Option<String>)>;

    /// The file an include names, seen from the file it stands in.
    fn include(&self, target: &str, from: &str) -> Option<Included>;

    /// The page a cross reference names, seen from the page that is read.
    fn page(&self, id: &str, from: &str) -> Option<LinkTarget>;

    /// The address of an image.
    fn image(&self, id: &str, from: &str) -> String;
}

/// A site whose files are not looked at, for reading no more than the head of a page.
pub struct HeadOnly<'a>(pub &'a dyn Site);

impl Site for HeadOnly<'_> {
    fn attributes(&self, path: &str) -> Vec<(String, Option<String>)> {
        self.0.attributes(path)
    }

    fn include(&self, _target: &str, _from: &str) -> Option<Included> {
        None
    }

    fn page(&self, _id: &str, _from: &str) -> Option<LinkTarget> {
        None
    }

    fn image(&self, id: &str, from: &str) -> String {
        self.0.image(id, from)
    }
}

/// A page without surroundings.
pub struct Alone;

impl Site for Alone {
    fn attributes(&self, _path: &str) -> Vec<(String, Option<String>)> {
        Vec::new()
    }

    fn include(&self, _target: &str, _from: &str) -> Option<Included> {
        None
    }

    fn page(&self, _id: &str, _from: &str) -> Option<LinkTarget> {
        None
    }

    fn image(&self, id: &str, _from: &str) -> String {
        id.to_owned()
    }
}
