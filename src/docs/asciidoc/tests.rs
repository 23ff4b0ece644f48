//! What the reader makes of AsciiDoc, feature by feature.

use std::{collections::HashMap, rc::Rc};

use super::{
    read, read_alone,
    site::{Included, LinkTarget, Site},
};

mod blocks;
mod bounds;
mod includes;
mod inline_text;
mod lists;
mod references;
mod tables;

/// The Markdown of a text under the title it gets from its name.
fn body(source: &str) -> String {
    let markdown = read_alone(source, "t.adoc").markdown;
    let body = markdown.strip_prefix("# T\n").unwrap_or(&markdown);
    body.trim_matches('\n').to_owned()
}

/// Checks a table of sources and what becomes of them.
fn check(cases: &[(&str, &str)]) {
    for (source, expected) in cases {
        assert_eq!(body(source), *expected, "from:\n{source}");
    }
}

/// A folder of files, by path.
struct Files(HashMap<&'static str, &'static str>);

fn files(files: &[(&'static str, &'static str)]) -> Files {
    Files(files.iter().copied().collect())
}

impl Files {
    fn body(&self, source: &str) -> String {
        let markdown = read(source, "t.adoc", self).markdown;
        let body = markdown.strip_prefix("# T\n").unwrap_or(&markdown);
        body.trim_matches('\n').to_owned()
    }
}

impl Site for Files {
    fn attributes(&self, _path: &str) -> Vec<(String, Option<String>)> {
        vec![("product".to_owned(), Some("Gate".to_owned()))]
    }

    fn include(&self, target: &str, _from: &str) -> Option<Included> {
        let text = self.0.get(target)?;
        Some(Included { path: target.to_owned(), text: Rc::from(*text) })
    }

    fn page(&self, id: &str, _from: &str) -> Option<LinkTarget> {
        let text = self.0.get(id)?;
        let title = text.lines().next()?.trim_start_matches("= ").to_owned();
        Some(LinkTarget { title, address: format!("https://x.example/{id}/") })
    }

    fn image(&self, id: &str, _from: &str) -> String {
        format!("/images/{id}")
    }
}
