//! HTML pages.

#![no_main]

use gatehouse_fuzz::docs::html::{fragment, read};
use gatehouse_fuzz::page;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let source = String::from_utf8_lossy(input);
    page::check(&read(&source, "guide/page.html"));
    let _ = fragment(&source);
});
