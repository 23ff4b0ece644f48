//! What pages say of each other.
//!
//! Whoever links to a page says in a few words what is found there, often in other words than the
//! page itself: "to get back a topic that was deleted, see …". For the page linked to these are
//! names that its author did not think of.

use std::collections::HashSet;

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

use super::{antora, names::Names, page::Page};

/// A passage longer than this is about more than its link; then the text of the link stands alone.
const PASSAGE_CHARS_MAX: usize = 300;

/// What is kept for one page. Everybody links to some pages, and says the same.
const BYTES_MAX: usize = 8 * 1024;

/// For each page the passages of other pages that link to it, each once.
pub fn collect(pages: &[Page], names: &Names) -> Vec<String> {
    let mut texts = vec![String::new(); pages.len()];
    let mut known: HashSet<(usize, String)> = HashSet::new();
    for (from, page) in pages.iter().enumerate() {
        for (target, passage) in passages(&page.document.markdown) {
            let Some(to) = resolve(&target, page, names).filter(|to| *to != from) else { continue };
            let text = &mut texts[to];
            if text.len() + passage.len() < BYTES_MAX && known.insert((to, passage.clone())) {
                text.push_str(&passage);
                text.push('\n');
            }
        }
    }
    texts
}

/// The page a link leads to: relative to its own page as in Markdown, or to the folder.
fn resolve(target: &str, page: &Page, names: &Names) -> Option<usize> {
    if target.starts_with('#') {
        return None;
    }
    let folder = page.path.rsplit_once('/').map_or("", |(folder, _)| folder);
    let beside = (!target.contains("://")).then(|| antora::join(folder, target)).flatten();
    let found = beside.and_then(|path| names.find(&path).map(|it| it.page));
    found.or_else(|| names.find(target).map(|it| it.page))
}

/// The targets of all links, each with the words of the link and those around it.
fn passages(markdown: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut block = String::new();
    // The links of the block: target, and where the words of the link are in it.
    let mut links: Vec<(String, usize, usize)> = Vec::new();
    for event in Parser::new_ext(markdown, Options::ENABLE_TABLES) {
        match event {
            Event::Text(text) | Event::Code(text) => block.push_str(&text),
            Event::SoftBreak | Event::HardBreak => block.push(' '),
            Event::Start(Tag::Link { dest_url, .. }) => {
                links.push((dest_url.into_string(), block.len(), block.len()));
            }
            Event::End(TagEnd::Link) => {
                if let Some((_, _, end)) = links.last_mut() {
                    *end = block.len();
                }
            }
            Event::Start(tag) if !is_inline(&tag) => flush(&mut block, &mut links, &mut found),
            Event::End(
                TagEnd::Paragraph | TagEnd::Heading(_) | TagEnd::Item | TagEnd::TableCell,
            ) => flush(&mut block, &mut links, &mut found),
            _ => {}
        }
    }
    flush(&mut block, &mut links, &mut found);
    found
}

fn is_inline(tag: &Tag) -> bool {
    matches!(tag, Tag::Emphasis | Tag::Strong | Tag::Strikethrough | Tag::Image { .. })
}

fn flush(
    block: &mut String,
    links: &mut Vec<(String, usize, usize)>,
    found: &mut Vec<(String, String)>,
) {
    let is_short = block.chars().count() <= PASSAGE_CHARS_MAX;
    for (target, start, end) in links.drain(..) {
        let passage = if is_short { block.as_str() } else { &block[start..end] };
        found.push((target, passage.trim().to_owned()));
    }
    block.clear();
}
