//! Every operation and schema of real APIs, if there are any.
//!
//! `GATEHOUSE_TEST_CORPUS` names a folder that holds `redpanda-api`; by default it is looked for
//! beside the repository. Without it the tests run on the fixture in `tests/reference`.
//!
//! What there must be is counted here from the files, by other code than the one under test.

#![expect(clippy::print_stdout, reason = "the run says which corpus it was, and its counts")]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    sync::LazyLock,
};

use crate::reference::library::{
    Entry, ListAnswer, ListRequest, ReadAnswer, Reference, SearchRequest, Settings,
};
use crate::reference::node::Node;
use crate::reference::page::Kind;
use crate::reference::parse::{Syntax, parse};
use crate::reference::sources::{OwnDocument, Source};

static FOLDER: LazyLock<PathBuf> = LazyLock::new(|| {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR"));
    let shared = named_corpus().unwrap_or_else(|| repository.join("../shared/corpus"));
    let real = shared.join("redpanda-api");
    let folder = if real.is_dir() { real } else { repository.join("tests/reference") };
    println!("API documents under test: {}", folder.display());
    folder
});

#[expect(clippy::disallowed_methods, reason = "a test is told by its environment what to read")]
fn named_corpus() -> Option<PathBuf> {
    std::env::var_os("GATEHOUSE_TEST_CORPUS").map(PathBuf::from)
}

static REFERENCE: LazyLock<Reference> = LazyLock::new(|| {
    let sources = vec![Source { name: None, path: FOLDER.clone() }];
    let own = OwnDocument { name: "own".to_owned(), text: String::new() };
    Reference::open(Settings { sources, own }).unwrap()
});

/// A page that must be there.
struct Expected {
    api: String,
    kind: Kind,
    /// What a reader would type to find it.
    names: Vec<String>,
    /// What its text must contain.
    parts: Vec<String>,
}

/// What the files say, read naively.
static EXPECTED: LazyLock<Vec<Expected>> = LazyLock::new(|| {
    let mut expected = Vec::new();
    let mut folders: Vec<PathBuf> =
        fs::read_dir(&*FOLDER).unwrap().map(|entry| entry.unwrap().path()).collect();
    folders.retain(|path| path.is_dir());
    folders.sort();
    for folder in folders {
        let api = folder.file_name().unwrap().to_str().unwrap().to_owned();
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let Some(syntax) = Syntax::of(path.to_str().unwrap()) else { continue };
            let root = parse(&fs::read_to_string(&path).unwrap(), syntax).unwrap();
            let is_document = root.find("openapi").or(root.find("swagger")).is_some();
            if path.is_file() && is_document {
                expect_operations(&api, &root, &mut expected);
                expect_schemas(&api, &root, &mut expected);
            }
        }
    }
    expected
});

fn expect_operations(api: &str, root: &Node, expected: &mut Vec<Expected>) {
    for (path, item) in root.get("paths").members().filter(|(path, _)| path.starts_with('/')) {
        for (method, operation) in item.members() {
            let is_method = ["get", "put", "post", "delete", "patch", "head", "options", "trace"]
                .contains(&method);
            if !is_method {
                continue;
            }
            let line = format!("{} {path}", method.to_uppercase());
            let mut names = vec![line.clone()];
            names.extend(operation.get("operationId").text().map(str::to_owned));
            let mut parts = vec![format!("\n`{line}`\n")];
            let lists = [item.get("parameters"), operation.get("parameters")];
            for parameter in lists.into_iter().flat_map(Node::items) {
                let place = parameter.get("in").text();
                let is_body = matches!(place, Some("body" | "formData"));
                let name = parameter.get("name").text().filter(|_| !is_body);
                parts.extend(name.map(|name| format!("| `{name}` |")));
            }
            let statuses = operation.get("responses").members();
            parts.extend(statuses.map(|(status, _)| format!("### {status}\n")));
            expected.push(Expected { api: api.to_owned(), kind: Kind::Operation, names, parts });
        }
    }
}

fn expect_schemas(api: &str, root: &Node, expected: &mut Vec<Expected>) {
    let places = [root.get("components").get("schemas"), root.get("definitions")];
    for (name, schema) in places.into_iter().flat_map(Node::members) {
        let mut parts = vec![format!("# {name}\n")];
        let fields = schema.get("properties").members();
        parts.extend(fields.map(|(field, _)| format!("- `{field}` (")));
        let names = vec![name.to_owned()];
        expected.push(Expected { api: api.to_owned(), kind: Kind::Schema, names, parts });
    }
}

fn entries(request: ListRequest<'_>) -> Vec<Entry> {
    match REFERENCE.list(request) {
        ListAnswer::Pages { entries, left_out: 0 } => entries,
        other => panic!("{request:?} gave {other:?}"),
    }
}

/// Every page, by its address, found by going down the lists.
fn listed() -> BTreeMap<String, (Kind, String)> {
    let mut found = BTreeMap::new();
    let mut waiting = Vec::new();
    for entry in entries(ListRequest::Apis) {
        waiting.push(entry);
    }
    while let Some(entry) = waiting.pop() {
        if found.insert(entry.url.clone(), (entry.kind, entry.title)).is_none() {
            waiting.extend(entries(ListRequest::Below(&entry.url)));
        }
    }
    found
}

fn markdown(url: &str) -> String {
    let mut whole = String::new();
    let mut at = url.to_owned();
    loop {
        match REFERENCE.read(&[&at]).remove(0) {
            ReadAnswer::Page(page) => {
                assert_eq!(page.url, url);
                let Some((text, note)) = page.markdown.split_once("\n*This page goes on") else {
                    return whole + &page.markdown;
                };
                whole.push_str(text);
                let (_, next) = note.split_once("the address ").unwrap();
                at = next.trim_end().trim_end_matches('*').to_owned();
            }
            other => panic!("{at}: {other:?}"),
        }
    }
}

/// The pages a search finds.
fn found(name: &str, expected: &Expected) -> Vec<(String, String)> {
    let request = SearchRequest { text: name, api: Some(&expected.api), kind: Some(expected.kind) };
    let hits = REFERENCE.search(&request).unwrap().unwrap();
    for hit in &hits {
        assert!(!hit.excerpt.trim().is_empty() && !hit.title.is_empty(), "{hit:?}");
        assert_eq!(hit.kind, expected.kind);
    }
    hits.into_iter().map(|hit| (hit.url, hit.title)).collect()
}

#[test]
fn every_operation_and_schema_is_listed_found_and_shown_with_all_it_has() {
    let listed = listed();
    let texts: BTreeMap<&String, String> = listed.keys().map(|url| (url, markdown(url))).collect();
    let mut shown: BTreeSet<&String> = BTreeSet::new();
    for expected in EXPECTED.iter() {
        let name = &expected.names[0];
        // Two documents of one API may have a schema of one name; each has its own page.
        let below = format!("api://{}/", expected.api);
        let page = listed.iter().find(|(url, (kind, _))| {
            let text = &texts[url];
            *kind == expected.kind
                && url.starts_with(&below)
                && !shown.contains(url)
                && expected.parts.iter().all(|part| text.contains(part))
        });
        let (url, _) = page.unwrap_or_else(|| panic!("{name}: {:?}", expected.parts));
        shown.insert(url);
        for name in &expected.names {
            let hits = found(name, expected);
            assert!(hits.iter().any(|(hit, _)| hit == url), "{name} finds {hits:?}, not {url}");
        }
    }
    let count = |kind| listed.values().filter(|(other, _)| *other == kind).count();
    let must = |kind| EXPECTED.iter().filter(|expected| expected.kind == kind).count();
    for kind in [Kind::Operation, Kind::Schema] {
        assert!(must(kind) > 0);
        assert_eq!(count(kind), must(kind), "{kind:?}");
    }
    let sizes: Vec<usize> = texts.values().map(String::len).collect();
    println!(
        "{} pages: {} APIs, {} groups, {} operations, {} schemas, {} topics; {} bytes of Markdown, \
         the longest page {}",
        listed.len(),
        count(Kind::Api),
        count(Kind::Group),
        count(Kind::Operation),
        count(Kind::Schema),
        count(Kind::Topic),
        sizes.iter().sum::<usize>(),
        sizes.iter().max().unwrap(),
    );
    assert_eq!(listed.len(), REFERENCE.page_count(), "every page hangs somewhere");
}
