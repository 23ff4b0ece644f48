//! Markdown pages.

#![no_main]

use gatehouse_fuzz::docs::markdown::{plain_text, read, without_html};
use gatehouse_fuzz::page;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let source = String::from_utf8_lossy(input);
    page::check(&read(&source, "guide/page.md"));
    let _ = plain_text(&source);
    let _ = without_html(&source);
});
