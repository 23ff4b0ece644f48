//! Reading again when files change.

use std::{fs, path::Path, sync::Arc, time::Duration};

use super::{of_source, of_text};
use crate::docs::watch::Watch;
use crate::reference::library::Reference;

/// No change takes so long to be noticed.
const DEADLINE: Duration = Duration::from_mins(1);

fn write(file: &Path, operations: usize) {
    let paths = (0..operations).map(|n| format!("  /{n}: {{get: {{}}}}\n"));
    let text = format!("openapi: 3.1.0\npaths:\n{}", paths.collect::<String>());
    fs::write(file, text).unwrap();
}

/// Waits until the reference has so many pages, however many readings that takes.
fn wait_for_pages(watch: &Watch, reference: &Reference, pages: usize) {
    let mut seen = 0;
    while reference.page_count() != pages {
        let count = watch.wait_for_reindex(seen, DEADLINE);
        assert!(count > seen, "still {} pages", reference.page_count());
        seen = count;
    }
}

#[test]
fn a_changed_folder_is_read_again_and_a_broken_file_changes_nothing() {
    let place = tempfile::tempdir().unwrap();
    fs::create_dir(place.path().join("a")).unwrap();
    let file = place.path().join("a/a.yaml");
    write(&file, 1);
    let reference = Reference::open(of_source(None, place.path().to_path_buf())).unwrap();
    let reference = Arc::new(reference);
    let watch = reference.watch().unwrap();
    assert_eq!(reference.page_count(), 2);
    write(&file, 3);
    wait_for_pages(&watch, &reference, 4);
    fs::write(&file, "openapi: [").unwrap();
    assert!(reference.reopen().is_err());
    assert_eq!(reference.page_count(), 4);
    fs::create_dir(place.path().join("b")).unwrap();
    write(&place.path().join("b/b.yaml"), 2);
    write(&file, 1);
    wait_for_pages(&watch, &reference, 5);
    assert_eq!(reference.api_names(), ["a", "b"]);
}

#[test]
fn a_single_file_is_read_again_when_it_is_replaced() {
    let place = tempfile::tempdir().unwrap();
    let at = |name: &str| place.path().join(name);
    write(&at("x.yaml"), 1);
    let reference = Arc::new(Reference::open(of_source(Some("x"), at("x.yaml"))).unwrap());
    let watch = reference.watch().unwrap();
    write(&at("next"), 2);
    fs::rename(at("next"), at("x.yaml")).unwrap();
    wait_for_pages(&watch, &reference, 3);
}

#[test]
fn the_document_compiled_in_needs_no_watch() {
    let reference = Arc::new(of_text("openapi: 3.1.0"));
    let watch = reference.watch().unwrap();
    assert_eq!(watch.wait_for_reindex(0, Duration::ZERO), 0);
}
