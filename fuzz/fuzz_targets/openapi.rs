//! OpenAPI and Swagger documents, in YAML and in JSON, as far as the text of each page.

#![no_main]

use gatehouse_fuzz::reference::files::Files;
use gatehouse_fuzz::reference::render;
use gatehouse_fuzz::reference::shelf::Shelf;
use gatehouse_fuzz::reference::spec::assemble;
use libfuzzer_sys::fuzz_target;

/// The most a page has, in bytes, and a note.
const PAGE_BYTES_MAX: usize = 400_000 + 200;
const WORDS_BYTES_MAX: usize = 2_000;
const PAGES_RENDERED_MAX: usize = 20;

fuzz_target!(|input: &[u8]| {
    let text = String::from_utf8_lossy(input);
    let path = if text.starts_with('{') { "api.json" } else { "api.yaml" };
    let Ok(files) = Files::of_text(path, &text) else { return };
    let assembled = assemble("api".to_owned(), files, vec![path.to_owned()], Vec::new());
    let Ok(api) = assembled else { return };
    let Ok(shelf) = Shelf::of(vec![api]) else { return };
    for page in shelf.pages.iter().take(PAGES_RENDERED_MAX) {
        let text = render::page(&shelf, page);
        assert!(!text.trim().is_empty() && text.len() <= PAGE_BYTES_MAX, "{} bytes", text.len());
        let _ = render::words(&shelf, page, WORDS_BYTES_MAX);
        assert!(!page.title.contains('\n'), "{:?}", page.title);
    }
});
