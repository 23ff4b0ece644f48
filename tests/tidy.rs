//! The walls and the manners: what a reviewer would otherwise have to say again and again.
//!
//! Each test is one rule. A finding reads `file:line: what is wrong: what to do`. Lists of
//! exceptions stand beside their rules and may only shrink: one that is no longer needed fails.
//! `tidy/bites.rs` shows that every rule can fail.

#[path = "tidy/bites.rs"]
mod bites;
#[path = "tidy/manners.rs"]
mod manners;
#[path = "tidy/papers.rs"]
mod papers;
#[path = "tidy/rust.rs"]
mod rust;
#[path = "tidy/tree.rs"]
mod tree;
#[path = "tidy/walls.rs"]
mod walls;

use rust::Source;
use tree::{Finding, expect_none, files, has_extension, is_below, read, rust_below, texts};

/// What is compiled into the product.
const PRODUCT: &[&str] = &["src", "api/src", "migration/src"];
/// All Rust of ours.
const ALL: &[&str] = &["src", "api", "migration", "tests", "fuzz", "bench"];
const TESTS: &[&str] = &["tests", "api/tests", "migration/tests"];

fn each(sources: &[Source], rule: impl Fn(&Source) -> Vec<Finding>) {
    expect_none(sources.iter().flat_map(rule).collect());
}

/// Text that people of this repository write: no lock file, no generated document, no samples of
/// other people's writing.
fn written_texts() -> Vec<(String, String)> {
    let is_ours = |file: &str| {
        !is_below(file, "tests/corpus") && !matches!(file, "Cargo.lock" | "openapi.yaml")
    };
    texts().into_iter().filter(|(file, _)| is_ours(file)).collect()
}

fn crates() -> Vec<String> {
    let manifest = read("Cargo.toml", "the names of other people's crates");
    papers::dependencies(&manifest).iter().map(papers::Dependency::in_code).collect()
}

// Walls.

#[test]
fn no_room_names_what_it_must_not() {
    let crates = crates();
    let mut needed = vec![false; walls::EXCEPTIONS.len()];
    let crossings = rust_below(&["src"]);
    let crossings = crossings.iter().flat_map(|source| walls::crossings(source, &crates)).collect();
    let mut findings = walls::except(crossings, &mut needed);
    let spare = walls::EXCEPTIONS.iter().zip(needed).filter(|(_, needed)| !needed);
    findings.extend(spare.map(|(spare, _)| {
        let message = format!("the exception for {} is no longer needed: delete it", spare.names);
        Finding::new(spare.file, 1, message)
    }));
    expect_none(findings);
}

#[test]
fn the_table_of_rooms_agrees_with_the_head_of_the_crate() {
    let lib = Source::new("src/lib.rs", &read("src/lib.rs", "the order of the rooms"));
    expect_none(walls::against_the_order(&lib));
}

#[test]
fn what_clients_see_knows_nothing_of_ours() {
    each(&rust_below(&["api/src", "api/tests"]), |source| {
        walls::names_any(source, &["gatehouse", "gatehouse_migration", "sea_orm"])
    });
    each(&rust_below(&["migration/src"]), |source| {
        walls::names_any(source, &["gatehouse", "gatehouse_api", "poem"])
    });
}

#[test]
fn what_judges_from_outside_knows_nothing_of_ours() {
    each(&rust_below(&["tests/probe", "tests/clients"]), |source| {
        walls::names_any(source, &["gatehouse", "gatehouse_api", "gatehouse_migration"])
    });
}

#[test]
fn the_database_is_never_asked_for_the_time() {
    each(&rust_below(&["src/store", "migration/src"]), manners::asks_the_database_for_the_time);
}

#[test]
fn every_thing_has_one_address() {
    each(&rust_below(PRODUCT), manners::handed_on);
}

#[test]
fn every_file_is_compiled() {
    expect_none(manners::dead_files(&rust_below(ALL)));
}

#[test]
fn every_migration_runs() {
    let lib = read("migration/src/lib.rs", "the list of migrations");
    let lib = Source::new("migration/src/lib.rs", &lib);
    expect_none(papers::unlisted_migrations(&files(), &lib));
}

// Manners.

#[test]
fn lines_fit_beside_another_file() {
    let is_read_by_people = |file: &str| {
        ["rs", "md", "css", "mjs", "py"].iter().any(|extension| has_extension(file, extension))
            || is_below(file, "scripts")
            || matches!(file, ".ci/run" | "justfile")
    };
    let texts = written_texts();
    let read = texts.iter().filter(|(file, _)| is_read_by_people(file));
    expect_none(read.flat_map(|(file, text)| manners::long_lines(file, text)).collect());
}

#[test]
fn files_are_about_one_thing() {
    each(&rust_below(ALL), manners::long_file);
}

#[test]
fn functions_fit_on_a_screen() {
    each(&rust_below(ALL), manners::long_functions);
}

#[test]
fn the_lists_of_long_things_only_shrink() {
    let lines = |file: &str| read(file, "it is on the list of long files").lines().count();
    for (file, most) in manners::LONG_FILES {
        assert_eq!(lines(file), *most, "{file} has changed: write its new length or drop it");
    }
    for (file, name, most) in manners::LONG_FUNCTIONS {
        let source = Source::new(file, &read(file, "it is on the list of long functions"));
        let longest = source.functions().into_iter().filter(|function| function.name == *name);
        let longest = longest.map(|function| function.lines).max();
        assert_eq!(longest, Some(*most), "{file}: fn {name} has changed: write it or drop it");
    }
}

#[test]
fn nothing_is_left_unfinished() {
    let texts = written_texts();
    // The rules have to name what they forbid.
    let texts = texts.iter().filter(|(file, _)| !is_below(file, "tests/tidy"));
    expect_none(texts.flat_map(|(file, text)| manners::unfinished(file, text)).collect());
}

#[test]
fn every_test_runs() {
    each(&rust_below(ALL), manners::ignored_tests);
}

#[test]
fn no_test_sleeps() {
    each(&rust_below(TESTS), manners::sleeping);
}

#[test]
fn no_test_is_given_a_second_chance() {
    let runs_tests = |file: &str| {
        [".ci", ".config", "scripts", "tests"].iter().any(|folder| is_below(file, folder))
            || file == "justfile"
    };
    let texts = written_texts();
    // Readers of a documentation ask what they like.
    let is_question = |file: &str| is_below(file, "tests/quality") && has_extension(file, "toml");
    let texts = texts.iter().filter(|(file, _)| runs_tests(file) && !is_ours_to_say(file));
    let texts = texts.filter(|(file, _)| !is_question(file));
    expect_none(texts.flat_map(|(file, text)| manners::retries(file, text)).collect());
}

fn is_ours_to_say(file: &str) -> bool {
    is_below(file, "tests/tidy") || file == "tests/tidy.rs"
}

#[test]
fn types_are_named_for_what_they_are() {
    each(&rust_below(ALL), manners::doers);
}

#[test]
fn every_room_says_what_is_never_in_it() {
    let heads = rust_below(&["src"]);
    let is_head =
        |source: &Source| source.path.split('/').count() == 3 && source.path.ends_with("/mod.rs");
    let heads: Vec<Source> = heads.into_iter().filter(is_head).collect();
    each(&heads, manners::silent_head);
}

// Papers.

#[test]
fn no_path_of_one_machine_is_kept() {
    let texts = texts();
    expect_none(texts.iter().flat_map(|(file, text)| papers::machine_paths(file, text)).collect());
}

#[test]
fn no_list_of_packages_names_a_registry() {
    let texts = texts();
    assert!(texts.iter().any(|(file, _)| file == "tests/clients/package-lock.json"));
    expect_none(texts.iter().flat_map(|(file, text)| papers::registries(file, text)).collect());
}

#[test]
fn the_shared_corpus_stays_where_it_is() {
    // Without the corpus beside the repository there is nothing that could have been copied.
    expect_none(papers::copies(&files(), &tree::shared_corpus()));
}

#[test]
fn every_dependency_is_used() {
    let mut findings = Vec::new();
    for (folder, product, tests) in [
        ("", &["src"][..], &["tests/it", "tests/tidy", "tests/ceilings"][..]),
        ("api/", &["api/src"], &["api/tests"]),
        ("bench/", &["bench/src"], &["bench/benches"]),
        ("migration/", &["migration/src"], &["migration/src"]),
        ("tests/pages/", &["tests/pages/src"], &["tests/pages/src", "tests/it/support"]),
        ("tests/probe/", &["tests/probe/src"], &["tests/probe/src"]),
        ("tests/quality/", &["tests/quality/src"], &["tests/quality/src"]),
        ("tests/clients/rmcp/", &["tests/clients/rmcp/src"], &["tests/clients/rmcp/src"]),
    ] {
        let file = format!("{folder}Cargo.toml");
        let manifest = read(&file, "its dependencies");
        let (product, tests) = (rust_below(product), rust_below(tests));
        findings.extend(papers::unused_dependencies(&file, &manifest, &product, &tests));
    }
    let members = ["", "api/", "bench/", "migration/", "tests/pages/", "tests/probe/"];
    let members = members.map(|folder| format!("{folder}Cargo.toml"));
    let members = members.map(|file| read(&file, "what it takes of the workspace"));
    findings.extend(papers::untaken_dependencies("Cargo.toml", &members[0], &members));
    expect_none(findings);
}

#[test]
fn every_operation_is_in_the_table_of_tests() {
    let document = read("openapi.yaml", "the operations; `just openapi` writes it");
    assert!(!papers::operations(&document).is_empty(), "openapi.yaml names no operation");
    let table = read("tests/README.md", "which test shows which requirement and operation");
    expect_none(papers::untested_operations(&document, &table));
    let spare = papers::UNTESTED_OPERATIONS.iter().find(|id| table.contains(&format!("`{id}`")));
    assert_eq!(spare, None, "it is tested now: take it out of UNTESTED_OPERATIONS");
}

#[test]
fn every_setting_is_in_the_manual() {
    let manual = read("docs/settings.md", "every setting, for operators");
    let names = gatehouse::config::keys::KEYS.iter().map(|key| key.name);
    expect_none(papers::undescribed_settings(names, &manual));
}

#[test]
fn every_setting_of_the_deployments_exists() {
    let keys = gatehouse::config::keys::KEYS;
    let variables: Vec<_> = keys.iter().map(gatehouse::config::keys::Key::variable).collect();
    let texts = texts().into_iter().filter(|(file, _)| is_below(file, "docs/deploy"));
    let texts: Vec<_> = texts.collect();
    assert!(texts.len() > 4, "docs/deploy is not where it was");
    let found = texts.iter();
    expect_none(
        found.flat_map(|(file, text)| papers::unknown_variables(file, text, &variables)).collect(),
    );
}
