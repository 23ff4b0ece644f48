//! Each rule on a small sample that breaks it and one that does not: a rule that cannot fail
//! guards nothing.

use std::fs;

use crate::rust::{Function, Module, Source};
use crate::tree::{Finding, root};
use crate::{manners, papers, walls};

fn rust(path: &str, text: &str) -> Source {
    Source::new(path, text)
}

/// The lines at which something was found.
fn lines(findings: &[Finding]) -> Vec<usize> {
    findings.iter().map(|finding| finding.line).collect()
}

fn crossed(path: &str, text: &str) -> Vec<String> {
    let crates = ["tokio", "url", "tracing"].map(str::to_owned);
    walls::crossings(&rust(path, text), &crates).into_iter().map(|(names, _)| names).collect()
}

// Reading Rust.

#[test]
fn comments_and_literals_are_not_code() {
    let source = rust(
        "src/x.rs",
        "let a = \"crate::store\"; // crate::store\n\
         /* /* crate::store */ crate::store */ let c = '\"';\n\
         let r = r#\"crate::store \" \"#; let l: &'static str = b\"crate::\\\"x\"; crate::flow::y;",
    );
    let names: Vec<String> = source.paths().iter().map(|path| path.segments.join("::")).collect();
    assert!(names.contains(&"crate::flow::y".to_owned()), "{names:?}");
    assert!(!names.iter().any(|name| name.contains("store")), "{names:?}");
    assert!(source.uncommented.contains("\"crate::store\""));
    assert_eq!(source.code.lines().count(), source.text.lines().count());
}

#[test]
fn use_trees_are_written_out() {
    let text = "use crate::{clock::{self, Timestamp as T},\n store::*};\nuse std::fmt;";
    let paths = rust("src/x.rs", text).paths();
    let named: Vec<(usize, String)> =
        paths.iter().map(|path| (path.line, path.segments.join("::"))).collect();
    let expected = [
        (1, "crate::clock::self"),
        (1, "crate::clock::Timestamp"),
        (2, "crate::store::*"),
        (3, "std::fmt"),
    ];
    assert_eq!(named, expected.map(|(line, name)| (line, name.to_owned())));
}

#[test]
fn functions_are_measured_to_their_closing_brace() {
    let text = "trait A { fn none(&self, x: [u8; 2]); }\nfn a() {\n  \"}\"; // }\n  {\n  }\n}\n";
    let expected = Function { line: 2, name: "a".to_owned(), lines: 5 };
    assert_eq!(rust("src/x.rs", text).functions(), [expected]);
}

#[test]
fn modules_in_files_are_told_from_modules_in_line() {
    let text = "mod a;\nmod b { }\n#[path = \"d/c.rs\"]\nmod c;\n// mod e;";
    let module = |name: &str, file: Option<&str>| Module {
        name: name.to_owned(),
        file: file.map(str::to_owned),
    };
    assert_eq!(rust("x.rs", text).modules(), [module("a", None), module("c", Some("d/c.rs"))]);
}

// Walls.

#[test]
fn a_forbidden_room_is_seen_however_it_is_named() {
    assert_eq!(crossed("src/mcp/a.rs", "use crate::store::Store;"), ["store::Store"]);
    assert_eq!(crossed("src/mcp/a.rs", "use crate::{docs::x, flow};"), ["flow"]);
    assert_eq!(crossed("src/mcp/a.rs", "fn f(x: crate::secret::Secret) {}"), ["secret::Secret"]);
    assert_eq!(crossed("src/mcp/mod.rs", "use super::store::Store;"), ["store::Store"]);
    assert_eq!(crossed("src/mcp/a.rs", "mod t { use super::super::super::flow::X; }"), ["flow::X"]);
    assert!(crossed("src/mcp/a.rs", "use super::flow; mod t { use super::super::b; }").is_empty());
    assert!(crossed("src/mcp/a.rs", "use crate::docs::library; use crate::mcp::b;").is_empty());
    assert_eq!(crossed("src/flow/a.rs", "use crate::attribution::feedback;").len(), 1);
    assert!(crossed("src/flow/a.rs", "use crate::attribution::people;").is_empty());
    assert!(crossed("src/cli/a.rs", "use crate::store::Store;").is_empty());
    assert_eq!(crossed("src/new_room/a.rs", "").len(), 1, "a room without a row");
}

#[test]
fn a_crate_is_kept_to_its_rooms() {
    assert_eq!(crossed("src/flow/a.rs", "use sea_orm::Set;"), ["sea_orm"]);
    assert_eq!(crossed("src/flow/a.rs", "let x = poem::Response::new();"), ["poem"]);
    assert_eq!(crossed("src/flow/refresh.rs", "use gatehouse_api::token::Granted;").len(), 1);
    assert!(crossed("src/flow/wire.rs", "use gatehouse_api::token::Granted;").is_empty());
    assert_eq!(crossed("src/docs/a.rs", "use std::{env, fmt}; use reqwest::Url;").len(), 2);
    assert!(crossed("src/config/a.rs", "use std::env;").is_empty());
    assert_eq!(crossed("src/main.rs", "let a = std::env::args();"), ["std::env"]);
}

#[test]
fn the_domain_is_values_alone() {
    assert_eq!(crossed("src/domain/a.rs", "async fn f() {}"), ["async"]);
    assert_eq!(crossed("src/domain/a.rs", "use crate::clock::Clock;").len(), 2);
    assert_eq!(crossed("src/domain/a.rs", "fn f(e: &dyn Entropy) {}"), ["Entropy"]);
    assert_eq!(crossed("src/domain/a.rs", "tracing::info!(x); tokio::spawn(y);").len(), 2);
    assert_eq!(crossed("src/domain/a.rs", "use std::time::{Duration, Instant};").len(), 1);
    assert!(crossed("src/domain/a.rs", "use crate::clock::Timestamp; use url::Url;").is_empty());
}

#[test]
fn an_exception_covers_its_file_and_no_other() {
    let exception = &walls::EXCEPTIONS[0];
    for (file, left) in [(exception.file, 0), ("src/mcp/ask.rs", 1)] {
        let mut needed = vec![false; walls::EXCEPTIONS.len()];
        let crossing = (format!("{}::x", exception.names), Finding::new(file, 1, ""));
        assert_eq!(walls::except(vec![crossing], &mut needed).len(), left);
        assert_eq!(needed[0], left == 0);
    }
}

#[test]
fn the_order_of_the_rooms_is_compared() {
    let text = fs::read_to_string(root().join("src/lib.rs")).unwrap();
    let found = |text: &str| walls::against_the_order(&rust("src/lib.rs", text)).len();
    let as_it_stands = found(&text);
    assert!(found(&text.replace("//! - [`docs`]", "//! - docs")) > as_it_stands);
    assert!(found(&text.replace("pub mod docs;", "pub mod cellar;")) > as_it_stands);
}

#[test]
fn the_wire_names_nothing_behind_it() {
    let text = "use gatehouse::flow;\nuse poem::Body;";
    assert_eq!(lines(&walls::names_any(&rust("api/src/a.rs", text), &["gatehouse"])), [1]);
}

#[test]
fn sql_with_a_clock_is_seen() {
    let text = "let a = \"SELECT NOW()\";\n// now() is not asked\nself.find(now);";
    let source = rust("src/store/a.rs", text);
    assert_eq!(lines(&manners::asks_the_database_for_the_time(&source)), [1]);
}

// Manners.

#[test]
fn a_long_line_is_seen() {
    let long = "x".repeat(101);
    let address = format!("// https://example.com/{long}");
    let text = format!("{}\n{long}\n{address}", "ü".repeat(100));
    assert_eq!(lines(&manners::long_lines("a.rs", &text)), [2]);
    assert_eq!(lines(&manners::long_lines("a.rs", &format!("f(\"http://{long}\")"))), [1]);
    assert_eq!(lines(&manners::long_lines("a.md", &format!("| {long} |\n{long}"))), [2]);
}

#[test]
fn a_long_file_is_seen() {
    let file = |path: &str, lines: usize| manners::long_file(&rust(path, &"\n".repeat(lines)));
    assert!(file("src/a.rs", 400).is_empty() && file("tests/a.rs", 500).is_empty());
    assert_eq!((file("src/a.rs", 401).len(), file("tests/a.rs", 501).len()), (1, 1));
}

#[test]
fn a_long_function_is_seen() {
    let body = |lines: usize| format!("\n\nfn a() {{\n{}}}", "x;\n".repeat(lines));
    assert!(manners::long_functions(&rust("src/a.rs", &body(68))).is_empty());
    assert_eq!(lines(&manners::long_functions(&rust("src/a.rs", &body(69)))), [3]);
}

#[test]
fn unfinished_work_is_seen() {
    let text = "// TODO: later\ndbg!(x);\nTODOS mktemp XXXXXX\ntodo!()\nmy_dbg!(x)\n// fixme";
    assert_eq!(lines(&manners::unfinished("a.rs", text)), [1, 2, 4]);
}

#[test]
fn a_second_chance_is_seen() {
    assert_eq!(lines(&manners::retries(".config/nextest.toml", "[x]\nretries = 2")), [2]);
}

#[test]
fn an_ignored_test_is_seen() {
    let source = rust("tests/a.rs", "#[test]\n#[ignore = \"slow\"]\nfn a() { \"#[ignore]\"; }");
    assert_eq!(lines(&manners::ignored_tests(&source)), [2]);
}

#[test]
fn waiting_by_the_clock_is_seen() {
    let text = "use tokio::time::sleep;\nstd::thread::sleep(D);\ntime::sleep_until(d);\nasleep();";
    assert_eq!(lines(&manners::sleeping(&rust("tests/a.rs", text))), [1, 2, 3]);
}

#[test]
fn a_second_address_is_seen() {
    let text = "use a::b;\npub use a::c;\n    pub(crate) use a::d;\npub fn use_it() {}";
    assert_eq!(lines(&manners::handed_on(&rust("src/a.rs", text))), [2, 3]);
}

#[test]
fn a_doer_is_seen() {
    let text = "struct TokenManager;\nenum Handled {}\ntrait RowHandler {}\n// struct XHelper";
    assert_eq!(lines(&manners::doers(&rust("src/a.rs", text))), [1, 3]);
}

#[test]
fn a_silent_head_is_seen() {
    let told = "//! The rows.\n//!\n//! Never here: HTTP.\n";
    assert!(manners::silent_head(&rust("src/a/mod.rs", told)).is_empty());
    assert_eq!(lines(&manners::silent_head(&rust("src/a/mod.rs", "//! The rows.\n"))), [1]);
}

#[test]
fn a_dead_file_is_seen() {
    let sources = [
        rust("src/lib.rs", "pub mod a;\nmod c;"),
        rust("src/a/mod.rs", "mod b;"),
        rust("src/a/b.rs", ""),
        rust("src/c.rs", "mod tests;"),
        rust("src/c/tests.rs", ""),
        rust("src/c/dead.rs", ""),
        rust("tests/walls.rs", "#[path = \"parts/one.rs\"]\nmod one;"),
        rust("tests/parts/one.rs", ""),
        rust("tests/parts/two.rs", ""),
        rust("tests/it/main.rs", "mod story;"),
        rust("tests/it/story.rs", ""),
    ];
    let dead = manners::dead_files(&sources);
    let dead: Vec<&str> = dead.iter().map(|finding| finding.file.as_str()).collect();
    assert_eq!(dead, ["src/c/dead.rs", "tests/parts/two.rs"]);
}

// Papers.

#[test]
fn a_path_of_one_machine_is_seen() {
    let folders = [concat!("/ho", "me/"), concat!("/wo", "rk/"), concat!("/ro", "ot/")];
    for folder in folders {
        let text = format!("cd {folder}x\nhttps://example.com{folder}x\n\"{folder}\"");
        assert_eq!(lines(&papers::machine_paths("a.md", &text)), [1, 3]);
    }
}

#[test]
fn a_registry_in_a_list_of_packages_is_seen() {
    let lock = "{\n\"version\": \"1.0.0\",\n\"resolved\": \"https://example.com/x.tgz\"\n}";
    assert_eq!(lines(&papers::registries("a/package-lock.json", lock)), [3]);
    let required = "--index-url https://example.com\nx==1\ny @ https://example.com/y.whl\n";
    assert_eq!(lines(&papers::registries("requirements.txt", required)), [1, 3]);
    let settings = "omit-lockfile-registry-resolved=true\nregistry=http://127.0.0.1\n";
    assert_eq!(lines(&papers::registries("a/.npmrc", settings)), [2]);
    assert_eq!(papers::registries("a.md", lock), []);
}

#[test]
fn a_copy_from_the_corpus_is_seen() {
    let corpus = tempfile::tempdir().unwrap();
    let folder = corpus.path().join("pages");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("other"), "x".repeat(1000)).unwrap();
    let files = ["tests/tidy.rs".to_owned(), "Cargo.toml".to_owned()];
    assert_eq!(papers::copies(&files, corpus.path()), []);
    fs::copy(root().join("tests/tidy.rs"), folder.join("page")).unwrap();
    assert_eq!(papers::copies(&files, corpus.path())[0].file, "tests/tidy.rs");
}

#[test]
fn a_dependency_without_use_is_seen() {
    let manifest = "[package]\nname = \"x\"\n\
                    [workspace.dependencies]\naa = \"1\"\nbb-c = { f = [\n  \"x = y\",\n] }\n\
                    [dependencies]\naa.workspace = true\ndd = \"1\"\n\
                    [dev-dependencies]\nee = \"1\"\n";
    let product = [rust("src/a.rs", "use aa::X; // dd")];
    let tests = [rust("tests/a.rs", "ee::f(\"dd\");")];
    let unused = papers::unused_dependencies("Cargo.toml", manifest, &product, &tests);
    assert_eq!(lines(&unused), [10]);
    let untaken = papers::untaken_dependencies("Cargo.toml", manifest, &[manifest.to_owned()]);
    assert_eq!(lines(&untaken), [5]);
}

#[test]
fn a_forgotten_migration_is_seen() {
    let lib = rust("migration/src/lib.rs", "mod m1_a;\nmod m2_b;\nBox::new(m1_a::Migration)");
    let files = ["migration/src/m1_a.rs", "migration/src/m2_b.rs", "migration/src/model.rs"];
    let found = papers::unlisted_migrations(&files.map(str::to_owned), &lib);
    assert_eq!(found[0].file, "migration/src/m2_b.rs");
    assert_eq!(found.len(), 1);
}

#[test]
fn an_operation_without_a_test_is_seen() {
    let document =
        "paths:\n  /a:\n    get:\n      operationId: a\n  /b:\n    operationId: \"ab\"\n";
    assert_eq!(papers::operations(document), [(4, "a"), (6, "ab")]);
    assert_eq!(lines(&papers::untested_operations(document, "| `ab` | x |")), [4]);
}

#[test]
fn a_setting_without_a_description_is_seen() {
    let found = papers::undescribed_settings(["listen", "auth"].into_iter(), "`auth`: listen");
    assert_eq!(found.len(), 1);
}

#[test]
fn a_variable_that_is_no_setting_is_seen() {
    let known = ["GATEHOUSE_AUTH".to_owned()];
    let text = "GATEHOUSE_AUTH: open\nGATEHOUSE_AUTHS: open\nEnvironment=GATEHOUSE_AUT=x";
    let found = papers::unknown_variables("compose.yaml", text, &known);
    assert_eq!(found.iter().map(|finding| finding.line).collect::<Vec<_>>(), [2, 3]);
}
