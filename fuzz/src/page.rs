//! What holds of a page, whatever it was read from.

use crate::docs::document::Document;

/// The sections of a page cover it without gaps, and every part of it can be cut out.
///
/// # Panics
/// When one cannot.
pub fn check(page: &Document) {
    assert!(!page.title.trim().is_empty(), "a page has a title");
    assert!(!page.sections.is_empty());
    let mut length = 0;
    for at in 0..page.sections.len() {
        let section = &page.sections[at];
        assert!((1..=7).contains(&section.level), "level {}", section.level);
        let whole = page.whole(at);
        let body = page.body(at);
        assert!(body.len() <= page.markdown.len() && whole.len() <= page.markdown.len());
        assert!(!section.heading.contains('\n'), "{:?}", section.heading);
        length += body.len();
        let _ = page.trail(at);
    }
    assert!(length <= page.markdown.len(), "sections overlap");
}
