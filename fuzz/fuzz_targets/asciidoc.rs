//! AsciiDoc pages, with files beside them that they may include.
//!
//! Lines of `====> NAME` part an input into files; what stands above the first is the page.

#![no_main]

use gatehouse_fuzz::docs::asciidoc::site::{Included, LinkTarget, Site};
use gatehouse_fuzz::docs::asciidoc::{header, read};
use gatehouse_fuzz::page;
use libfuzzer_sys::fuzz_target;

const MARK: &str = "====> ";
const PATH: &str = "modules/ROOT/pages/page.adoc";

struct Files<'a>(Vec<(&'a str, &'a str)>);

impl Site for Files<'_> {
    fn attributes(&self, _path: &str) -> Vec<(String, Option<String>)> {
        vec![("product".to_owned(), Some("Example".to_owned())), ("gone".to_owned(), None)]
    }

    fn include(&self, target: &str, _from: &str) -> Option<Included> {
        let (name, text) = self.0.iter().find(|(name, _)| *name == target)?;
        Some(Included { path: (*name).to_owned(), text: (*text).into() })
    }

    fn page(&self, id: &str, _from: &str) -> Option<LinkTarget> {
        let (name, _) = self.0.iter().find(|(name, _)| *name == id)?;
        Some(LinkTarget { title: (*name).to_owned(), address: format!("https://e.com/{name}") })
    }

    fn image(&self, id: &str, _from: &str) -> String {
        format!("https://e.com/_images/{id}")
    }
}

fuzz_target!(|input: &[u8]| {
    let input = String::from_utf8_lossy(input);
    let mut parts = input.split(MARK);
    let source = parts.next().unwrap_or_default();
    let files = Files(parts.map(|part| part.split_once('\n').unwrap_or((part, ""))).collect());
    let _ = header(source, PATH, &files);
    page::check(&read(source, PATH, &files));
});
