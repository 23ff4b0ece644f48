//! The HTML reader: the part of a page its readers came for, as Markdown.
//!
//! The `main` element is that part if there is one, else the first `article`, else the body.
//! What frames it on every page (navigation, header, footer, scripts) is dropped, or every search
//! would find every page.

use std::rc::Rc;
use std::sync::{Arc, Mutex, PoisonError};

use htmd::{
    Element, HtmlToMarkdown, Node,
    element_handler::{HandlerResult, Handlers},
    options::{BulletListMarker, Options},
};

use super::{document::Document, markdown};

/// Elements inside elements beyond this depth are not converted: the converter recurses, and a
/// stack has an end.
const NESTING_MAX: usize = 96;

/// The same for what the parser made of the tags, whose count comments and attributes can talk
/// down: a table adds up to four elements for one counted tag, and the document adds its own.
const DEPTH_MAX: usize = 4 * NESTING_MAX + 4;

/// Never shown, or shown around every page.
const DROPPED: &[&str] = &[
    "script", "style", "nav", "header", "footer", "aside", "noscript", "template", "svg", "iframe",
    "form", "button", "select", "object", "video", "audio", "canvas",
];

/// Elements that cannot nest in themselves because the next one, or nothing, closes them.
const CLOSED_BY_OTHERS: &[&str] = &[
    "area", "base", "br", "col", "dd", "dt", "embed", "hr", "img", "input", "li", "link", "meta",
    "option", "p", "param", "source", "tbody", "td", "tfoot", "th", "thead", "tr", "track", "wbr",
];

/// Reads an HTML file. The name is its path; it gives the title if nothing else does.
pub fn read(source: &str, name: &str) -> Document {
    let found = Arc::new(Found::default());
    let Some(whole) = convert(source, &found) else {
        let title = markdown::title_from_name(name);
        let note = "> *This page is nested too deeply to be shown.*\n";
        return markdown::assemble(title, String::new(), note);
    };
    let body = taken(&found.main).or_else(|| taken(&found.article)).unwrap_or(whole);
    let heading = taken(&found.heading).and_then(|heading| markdown::first_title(&heading));
    let title = heading
        .or_else(|| taken(&found.title))
        .filter(|title| !title.is_empty())
        .unwrap_or_else(|| markdown::title_from_name(name));
    let body = body.trim();
    markdown::assemble(title, taken(&found.description).unwrap_or_default(), body)
}

/// A piece of HTML as Markdown; nothing, if it is nested too deeply.
pub fn fragment(source: &str) -> String {
    convert(source, &Arc::default()).unwrap_or_default().trim().to_owned()
}

/// `None` if it is nested too deeply. The tags are counted first, because the parser is slow on
/// deep nesting.
fn convert(source: &str, found: &Arc<Found>) -> Option<String> {
    if nesting(source) > NESTING_MAX {
        return None;
    }
    let converter = converter(found);
    let tree = converter.html_to_tree(source).ok()?;
    (depth(&tree) <= DEPTH_MAX).then(|| converter.tree_to_markdown(&tree))
}

fn depth(tree: &Rc<Node>) -> usize {
    let mut open = vec![(Rc::clone(tree), 0)];
    let mut deepest = 0;
    while let Some((node, depth)) = open.pop() {
        deepest = deepest.max(depth);
        open.extend(node.children.borrow().iter().map(|child| (Rc::clone(child), depth + 1)));
    }
    deepest
}

/// What the converter came past on its way: the first of each.
#[derive(Default)]
struct Found {
    main: Mutex<Option<String>>,
    article: Mutex<Option<String>>,
    heading: Mutex<Option<String>>,
    title: Mutex<Option<String>>,
    description: Mutex<Option<String>>,
}

fn keep_first(slot: &Mutex<Option<String>>, text: &str) {
    let mut slot = slot.lock().unwrap_or_else(PoisonError::into_inner);
    if slot.is_none() && !text.trim().is_empty() {
        *slot = Some(text.trim().to_owned());
    }
}

fn taken(slot: &Mutex<Option<String>>) -> Option<String> {
    slot.lock().unwrap_or_else(PoisonError::into_inner).take()
}

fn converter(found: &Arc<Found>) -> HtmlToMarkdown {
    let options = Options {
        bullet_list_marker: BulletListMarker::Dash,
        ul_bullet_spacing: 1,
        ol_number_spacing: 1,
        ..Options::default()
    };
    let keeps = |slot: fn(&Found) -> &Mutex<Option<String>>| {
        let found = Arc::clone(found);
        move |handlers: &dyn Handlers, element: Element| {
            let result = handlers.fallback(element)?;
            keep_first(slot(&found), &result.content);
            Some(result)
        }
    };
    let title = {
        let found = Arc::clone(found);
        move |handlers: &dyn Handlers, element: Element| {
            keep_first(&found.title, &handlers.walk_children(element.node).content);
            None
        }
    };
    let meta = {
        let found = Arc::clone(found);
        move |_: &dyn Handlers, element: Element| {
            if attribute(&element, "name").as_deref() == Some("description") {
                keep_first(&found.description, &attribute(&element, "content").unwrap_or_default());
            }
            None
        }
    };
    HtmlToMarkdown::builder()
        .options(options)
        .skip_tags(DROPPED.to_vec())
        .add_handler(vec!["main"], keeps(|found| &found.main))
        .add_handler(vec!["article"], keeps(|found| &found.article))
        .add_handler(vec!["h1", "h2", "h3", "h4", "h5", "h6"], with_id)
        .add_handler(vec!["h1"], keeps(|found| &found.heading))
        .add_handler(vec!["title"], title)
        .add_handler(vec!["meta"], meta)
        .build()
}

/// A heading with its id in the way Markdown writes it, so that it is linked under that id.
fn with_id(handlers: &dyn Handlers, element: Element) -> Option<HandlerResult> {
    let id = attribute(&element, "id").filter(|id| is_plain_id(id));
    let mut result = handlers.fallback(element)?;
    if let Some(id) = id
        && !result.content.trim().is_empty()
    {
        let length = result.content.trim_end().len();
        result.content.insert_str(length, &format!(" {{#{id}}}"));
    }
    Some(result)
}

fn is_plain_id(id: &str) -> bool {
    !id.is_empty() && id.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | ':'))
}

fn attribute(element: &Element, name: &str) -> Option<String> {
    let found = element.attrs.iter().find(|it| &*it.name.local == name)?;
    Some(found.value.to_string())
}

/// How deep elements seem to nest, from the tags alone. It is counted per tag name, so
/// that stray closing tags cannot talk it down.
fn nesting(source: &str) -> usize {
    let mut open = std::collections::HashMap::<String, usize>::new();
    let (mut depth, mut deepest) = (0usize, 0);
    for piece in source.split('<').skip(1) {
        let closing = piece.starts_with('/');
        let name: String = piece
            .trim_start_matches('/')
            .chars()
            .take_while(char::is_ascii_alphanumeric)
            .map(|c| c.to_ascii_lowercase())
            .collect();
        if name.is_empty() || CLOSED_BY_OTHERS.contains(&name.as_str()) {
            continue;
        }
        let count = open.entry(name).or_default();
        if closing {
            depth -= usize::from(*count > 0);
            *count = count.saturating_sub(1);
        } else {
            *count += 1;
            depth += 1;
            deepest = deepest.max(depth);
        }
    }
    deepest
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_frame_of_a_page_is_dropped() {
        let source = "<html><head><title>T &amp; U</title><style>x</style></head><body>\
            <nav>menu</nav><main><p>Text.</p><script>run()</script></main>\
            <footer>foot</footer></body></html>";
        let document = read(source, "t.html");
        assert_eq!(document.title, "T & U");
        assert_eq!(document.markdown, "# T & U\n\nText.");
    }

    #[test]
    fn headings_code_and_lists_become_markdown() {
        let source = "<body><article><h1>Set <code>x</code></h1><p>a</p><h2 id=z>Use</h2>\
            <pre><code class=\"language-sh\">run\n</code></pre><ul><li>b</li></ul></article>";
        let document = read(source, "t.html");
        assert_eq!(document.title, "Set x");
        assert_eq!(document.sections[1].heading, "Use");
        assert_eq!(document.sections[1].anchor, "z");
        assert!(!document.markdown.contains("{#"), "{}", document.markdown);
        assert!(document.body(1).starts_with("```sh\nrun\n```"), "{}", document.body(1));
        assert!(document.body(1).contains("- b"));
    }

    #[test]
    fn the_meta_description_is_kept() {
        let source = "<head><meta name=description content='About it.'></head><p>x</p>";
        assert_eq!(read(source, "t.html").description, "About it.");
    }

    #[test]
    fn a_page_without_title_has_its_name() {
        assert_eq!(read("<p>x</p>", "a/quick_start.html").title, "Quick start");
    }

    #[test]
    fn bottomless_nesting_becomes_a_note() {
        for tag in ["<div>", "<b>", "<table><tr><td>", "<ul><li>", "<div></x>", "<blockquote><p>"] {
            let document = read(&tag.repeat(20_000), "deep.html");
            assert!(document.markdown.contains("nested too deeply"), "{tag}");
        }
    }

    #[test]
    fn nesting_that_hides_from_the_count_becomes_a_note_too() {
        let tables = format!("<math>{}", "<tr>".repeat(5_000));
        let hidden = ["<div><!--</div>-->", "<div title='</div>'>", "<div><object></div></object>"];
        for source in hidden.map(|piece| piece.repeat(5_000)).iter().chain([&tables]) {
            let document = read(source, "deep.html");
            assert!(document.markdown.contains("nested too deeply"), "{source:.40}");
        }
        let deepest = "<div><!--</div>-->".repeat(DEPTH_MAX - 4) + "deep";
        assert!(read(&deepest, "deep.html").markdown.contains("deep"));
    }

    #[test]
    fn nesting_below_the_limit_is_converted() {
        for tag in ["<div>", "<blockquote><p>", "<ul><li>", "<b><i>", "<table><tr><td>"] {
            let names = tag.matches('<').count().min(2);
            let document = read(&(tag.repeat(NESTING_MAX / names) + "deep"), "deep.html");
            assert!(document.markdown.contains("deep"), "{tag}");
        }
    }

    #[test]
    fn closed_paragraphs_do_not_count_as_nesting() {
        assert_eq!(nesting(&"<p>a<li>b<br>".repeat(500)), 0);
        assert_eq!(nesting(&"<div>a</div>".repeat(500)), 1);
    }

    proptest! {
        #[test]
        fn arbitrary_text_never_panics(source in "(?s).{0,300}") {
            read(&source, "x.html");
        }

        #[test]
        fn arbitrary_tags_never_panic(
            source in prop::collection::vec(
                prop_oneof![
                    Just("<div>"), Just("</div>"), Just("<p>"), Just("<table>"), Just("<tr>"),
                    Just("<td>"), Just("<li>"), Just("<ul>"), Just("</ul>"), Just("<h1>"),
                    Just("</h1>"), Just("<pre>"), Just("<code>"), Just("<main>"), Just("</main>"),
                    Just("<b>"), Just("<a href=x>"), Just("&amp;"), Just("text"), Just("<"),
                ],
                0..60,
            )
        ) {
            read(&source.concat(), "x.html");
        }
    }
}
