use std::fs;

use super::*;
use crate::docs::read::PagePart;

fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (path, text) in files {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    folder
}

fn open(folders: &[&tempfile::TempDir]) -> Library {
    let folders = folders.iter().map(|folder| folder.path().to_path_buf()).collect();
    let site_url = Some(Url::parse("https://docs.example/current").unwrap());
    Library::open(Settings { folders, site_url }).unwrap()
}

fn search(library: &Library, text: &str, limit: usize, max_chars: usize) -> Vec<SectionHit> {
    library.search(&SearchQuery { text, limit, max_chars }).unwrap()
}

fn read(library: &Library, page: &str) -> PagePart {
    let request = ReadRequest { page, section: None, offset: 0, max_chars: 10_000 };
    match library.read(&request).unwrap() {
        ReadAnswer::Page(part) => part,
        other => panic!("{page} is {other:?}"),
    }
}

#[test]
fn a_missing_folder_is_an_error_that_names_it() {
    let settings = Settings { folders: vec!["/nonexistent/docs".into()], site_url: None };
    let error = Library::open(settings).err().unwrap();
    assert!(error.to_string().contains("/nonexistent/docs"), "{error}");
}

#[test]
fn a_hit_cites_its_section() {
    let docs = folder(&[("guide/tls.md", "# TLS\n\nIntro.\n\n## Keys\n\nRotate keys yearly.\n")]);
    let hit = search(&open(&[&docs]), "rotating a key", 5, 1000).remove(0);
    assert_eq!((hit.title.as_str(), hit.path.as_str()), ("TLS", "guide/tls.md"));
    assert_eq!((hit.heading.as_str(), hit.text.as_str()), ("Keys", "Rotate keys yearly."));
    assert_eq!(hit.url.as_deref(), Some("https://docs.example/current/guide/tls#keys"));
    assert!(hit.score > 0.0);
}

#[test]
fn a_page_of_any_name_has_an_address_and_is_read_by_it() {
    let odd = "= Odd\n\n[#keys]\n== Keys\n\nText.\n";
    let docs = folder(&[
        ("a b#c?.adoc", odd),
        ("100%/a%20b.adoc", "= Literal\n\nText.\n"),
        ("a.adoc", "= Links\n\nxref:a b#c?.adoc[Odd] xref:100%/a%20b.adoc[Literal]\n"),
    ]);
    let library = open(&[&docs]);
    for (path, url) in [
        ("a b#c?.adoc", "https://docs.example/current/a%20b%23c%3F"),
        ("100%/a%20b.adoc", "https://docs.example/current/100%25/a%2520b"),
    ] {
        assert_eq!(read(&library, path).url.as_deref(), Some(url));
        assert_eq!(Url::parse(url).unwrap().as_str(), url);
        assert_eq!(read(&library, url).path, path);
    }
    let section = read(&library, "https://docs.example/current/a%20b%23c%3F#keys");
    assert!(section.markdown.starts_with("## Keys"), "{}", section.markdown);
    assert_eq!(read(&library, "/current/a%20b%23c%3F").path, "a b#c?.adoc");

    // Without a site a link has the path, encoded as in any link.
    let settings = Settings { folders: vec![docs.path().to_path_buf()], site_url: None };
    let library = Library::open(settings).unwrap();
    let links = read(&library, "a.adoc").markdown;
    assert!(links.contains("[Literal](100%25/a%2520b.adoc)"), "{links}");
    assert_eq!(read(&library, "100%25/a%2520b.adoc").path, "100%/a%20b.adoc");
}

#[test]
fn the_texts_of_an_answer_stay_within_its_budget() {
    let long = "# L\n\n".to_owned() + &"lamp ä ".repeat(500);
    let docs = folder(&[("long.md", &long), ("short.md", "# S\n\nlamp\n")]);
    let library = open(&[&docs]);
    for max_chars in [0, 1, 100, 10_000] {
        let hits = search(&library, "lamp", 5, max_chars);
        assert_eq!(hits.len(), 2);
        assert!(hits.iter().map(|hit| hit.text.chars().count()).sum::<usize>() <= max_chars);
    }
}

#[test]
fn a_limit_is_kept_and_bounded() {
    let files: Vec<(String, String)> =
        (0..80).map(|n| (format!("{n}.md"), format!("# Page {n}\n\nlamp number {n}\n"))).collect();
    let files: Vec<(&str, &str)> = files.iter().map(|(p, t)| (p.as_str(), t.as_str())).collect();
    let library = open(&[&folder(&files)]);
    assert_eq!(search(&library, "lamp", 3, 1000).len(), 3);
    assert_eq!(search(&library, "lamp", 0, 1000).len(), 0);
    assert_eq!(search(&library, "lamp", usize::MAX, 1000).len(), HITS_MAX);
}

#[test]
fn every_kind_of_file_is_a_page_and_no_other() {
    let docs = folder(&[
        ("a.md", "# A\n\na\n"),
        ("b.adoc", "= B\n\nb\n"),
        ("c.html", "<title>C</title><p>c</p>"),
        ("_partial.adoc", "= P\n\np\n"),
        ("_drafts/d.md", "# D\n"),
        ("image.png", "x"),
    ]);
    let library = open(&[&docs]);
    assert_eq!(library.page_count(), 3);
    assert_eq!(read(&library, "b.adoc").markdown, "# B\n\nb\n");
    assert_eq!(read(&library, "https://docs.example/current/c").title, "C");
}

#[test]
fn an_earlier_folder_hides_pages_of_a_later_one() {
    let first = folder(&[("a.md", "# First\n")]);
    let second = folder(&[("a.md", "# Second\n"), ("b.md", "# B\n")]);
    let library = open(&[&first, &second]);
    assert_eq!(library.page_count(), 2);
    assert_eq!(read(&library, "a.md").title, "First");
}

#[test]
fn nothing_outside_the_folder_can_be_read() {
    let docs = folder(&[("a.md", "# A\n")]);
    let library = open(&[&docs]);
    let outside = docs.path().join("a.md");
    for page in ["../../etc/passwd", "%2e%2e/a.md", "file:///etc/passwd", outside.to_str().unwrap()]
    {
        let request = ReadRequest { page, section: None, offset: 0, max_chars: 10 };
        let answer = library.read(&request).unwrap();
        assert!(matches!(answer, ReadAnswer::NoSuchPage { .. }), "{page}: {answer:?}");
    }
}

#[test]
fn a_reindex_shows_what_changed() {
    let docs = folder(&[("a.md", "# A\n\nold\n")]);
    let library = open(&[&docs]);
    fs::write(docs.path().join("a.md"), "# A\n\nnew\n").unwrap();
    assert!(read(&library, "a.md").markdown.contains("old"));
    library.reindex().unwrap();
    assert!(read(&library, "a.md").markdown.contains("new"));
    assert_eq!(search(&library, "new", 1, 100).len(), 1);
}

#[test]
fn a_reindex_that_fails_or_finds_nothing_keeps_the_old_pages() {
    let docs = folder(&[("a.md", "# A\n")]);
    let library = open(&[&docs]);
    fs::remove_file(docs.path().join("a.md")).unwrap();
    assert!(matches!(library.reindex(), Err(DocsError::NoPages)));
    fs::remove_dir(docs.path()).unwrap();
    assert!(matches!(library.reindex(), Err(DocsError::MissingFolder { .. })));
    assert_eq!(read(&library, "a.md").title, "A");
}

#[test]
fn an_empty_folder_is_an_empty_library() {
    let docs = folder(&[]);
    let library = open(&[&docs]);
    assert_eq!((library.page_count(), library.section_count()), (0, 0));
    assert!(search(&library, "anything", 5, 100).is_empty());
    library.reindex().unwrap();
}

#[test]
fn readers_see_one_snapshot_while_another_is_built() {
    let docs = folder(&[("a.md", "# A\n\nlamp\n")]);
    let library = open(&[&docs]);
    let before = library.current();
    library.reindex().unwrap();
    assert_eq!(before.pages.len(), 1);
    assert!(!Arc::ptr_eq(&before, &library.current()));
}
