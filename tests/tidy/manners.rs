//! How a line, a function and a file of ours look.

use std::collections::BTreeSet;

use crate::rust::Source;
use crate::tree::{Finding, has_extension, is_below};

/// Characters in a line.
const COLUMNS: usize = 100;
/// Lines of a function.
const FUNCTION_LINES: usize = 70;
/// Lines of a file of the product.
const FILE_LINES: usize = 400;
/// Lines of a file of tests, where stories stand side by side.
const TEST_FILE_LINES: usize = 500;

/// Functions that are longer, and by how much they may be. May only shrink.
pub const LONG_FUNCTIONS: &[(&str, &str, usize)] = &[];
/// Files that are longer, and by how much they may be. May only shrink.
pub const LONG_FILES: &[(&str, usize)] = &[];
/// Folders whose Markdown has a paragraph on each line.
const UNWRAPPED: &[&str] = &["docs", "README.md", "CHANGELOG.md"];
/// Macros are made nameable by a `use`; nothing else is handed on.
const HANDED_ON: &[(&str, &str)] = &[("src/store/mod.rs", "pub(crate) use transact;")];

const SUFFIXES: &[&str] = &["Manager", "Service", "Helper", "Helpers", "Util", "Utils", "Handler"];

const SLEEPS: &[&str] = &["sleep", "sleep_ms", "sleep_until"];

/// What is not finished, in any file of text. The rules themselves have to name it.
const UNFINISHED: &[&str] = &["TODO", "FIXME", "XXX", "dbg!", "todo!", "unimplemented!"];

/// Lines of `text` that are too long to read beside another file.
pub fn long_lines(file: &str, text: &str) -> Vec<Finding> {
    let is_rust = has_extension(file, "rs");
    let is_markdown = has_extension(file, "md");
    let mut found = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let length = line.chars().count();
        let begins = line.trim_start();
        let is_comment = begins.starts_with("//") || (!is_rust && begins.starts_with('#'));
        // An address cannot be broken, and neither can a row of a Markdown table.
        let has_address = (is_comment || is_markdown) && line.contains("://");
        let is_row = is_markdown && begins.starts_with('|');
        let is_unwrapped = is_markdown && UNWRAPPED.iter().any(|folder| is_below(file, folder));
        if length > COLUMNS && !has_address && !is_row && !is_unwrapped {
            let message = format!("{length} columns, {COLUMNS} at most: break the line");
            found.push(Finding::new(file, number + 1, message));
        }
    }
    found
}

/// Whether `source` is longer than a file may be.
pub fn long_file(source: &Source) -> Vec<Finding> {
    let is_test = is_below(&source.path, "tests") || is_below(&source.path, "api/tests");
    let usual = if is_test { TEST_FILE_LINES } else { FILE_LINES };
    let excepted = LONG_FILES.iter().find(|(file, _)| *file == source.path);
    let lines = source.text.lines().count();
    let most = excepted.map_or(usual, |(_, lines)| *lines);
    if lines <= most {
        return Vec::new();
    }
    let message = format!("{lines} lines, {most} at most: find the two things it is about");
    vec![Finding::new(&source.path, 1, message)]
}

/// Functions longer than a screen.
pub fn long_functions(source: &Source) -> Vec<Finding> {
    let mut found = Vec::new();
    for function in source.functions() {
        let excepted = LONG_FUNCTIONS
            .iter()
            .find(|(file, name, _)| *file == source.path && *name == function.name);
        let most = excepted.map_or(FUNCTION_LINES, |(_, _, lines)| *lines);
        if function.lines > most {
            let message = format!(
                "fn {} has {} lines, {most} at most: keep the branching, move the leaves out",
                function.name, function.lines
            );
            found.push(Finding::new(&source.path, function.line, message));
        }
    }
    found
}

/// Words that say something is not finished.
pub fn unfinished(file: &str, text: &str) -> Vec<Finding> {
    words_in(file, text, UNFINISHED, "finish it, or file an issue and drop the mark")
}

/// Retrying a test hides the race it found.
pub fn retries(file: &str, text: &str) -> Vec<Finding> {
    words_in(file, text, &["retries"], "a test passes the first time or has found something")
}

fn words_in(file: &str, text: &str, words: &[&str], advice: &str) -> Vec<Finding> {
    let mut found = Vec::new();
    for (number, line) in text.lines().enumerate() {
        for word in words.iter().filter(|word| has_word(line, word)) {
            found.push(Finding::new(file, number + 1, format!("`{word}`: {advice}")));
        }
    }
    found
}

fn has_word(line: &str, word: &str) -> bool {
    let joins = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(word).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let after = line[at + word.len()..].chars().next();
        !before.is_some_and(joins) && (word.ends_with('!') || !after.is_some_and(joins))
    })
}

/// Tests that are there and do not run.
pub fn ignored_tests(source: &Source) -> Vec<Finding> {
    let message = "an ignored test tests nothing: make it run or delete it";
    lines_with(source, &source.code, |line| line.contains("#[ignore"), message)
}

/// Waiting by the clock.
pub fn sleeping(source: &Source) -> Vec<Finding> {
    let paths = source.paths().into_iter();
    let sleeps = paths
        .filter(|path| path.segments.last().is_some_and(|name| SLEEPS.contains(&name.as_str())));
    let message = "a test does not sleep: step the clock, or wait on a condition with a deadline";
    sleeps.map(|path| Finding::new(&source.path, path.line, message)).collect()
}

/// Names handed on from elsewhere: then a thing has two addresses.
pub fn handed_on(source: &Source) -> Vec<Finding> {
    let is_handed_on = |line: &str| {
        let line = line.trim();
        let is_pub =
            line.starts_with("pub use ") || (line.starts_with("pub(") && line.contains(") use "));
        is_pub && !HANDED_ON.contains(&(source.path.as_str(), line))
    };
    lines_with(source, &source.code, is_handed_on, "no re-exports: name the thing where it is")
}

/// The database has a clock of its own, and two clocks disagree.
pub fn asks_the_database_for_the_time(source: &Source) -> Vec<Finding> {
    let asks = |line: &str| {
        let line = line.to_ascii_lowercase();
        ["now()", "current_timestamp", "statement_timestamp", "clock_timestamp", "'now'"]
            .iter()
            .any(|word| line.contains(word))
    };
    lines_with(source, &source.uncommented, asks, "time comes in as a parameter, never from SQL")
}

/// Names that say somebody does something, and not what it is.
pub fn doers(source: &Source) -> Vec<Finding> {
    let mut found = Vec::new();
    for keyword in ["struct", "enum", "trait", "type", "union"] {
        for (line, name) in source.named_by(keyword) {
            if let Some(suffix) = SUFFIXES.iter().find(|suffix| name.ends_with(**suffix)) {
                let message = format!("{keyword} {name}: say what it is, not \"{suffix}\"");
                found.push(Finding::new(&source.path, line, message));
            }
        }
    }
    found
}

/// A room whose head does not say what is absent from it.
pub fn silent_head(source: &Source) -> Vec<Finding> {
    let head = source.text.lines().take_while(|line| line.starts_with("//!"));
    if head.into_iter().any(|line| line.contains("Never here")) {
        return Vec::new();
    }
    let message = "the head of a room says \"Never here: …\": what must one not look for?";
    vec![Finding::new(&source.path, 1, message)]
}

fn lines_with(
    source: &Source,
    text: &str,
    is_bad: impl Fn(&str) -> bool,
    message: &str,
) -> Vec<Finding> {
    let bad = text.lines().enumerate().filter(|(_, line)| is_bad(line));
    bad.map(|(number, _)| Finding::new(&source.path, number + 1, message)).collect()
}

/// Files that no `mod` leads to. `sources` are all Rust files of the repository.
pub fn dead_files(sources: &[Source]) -> Vec<Finding> {
    let mut reached: BTreeSet<String> = BTreeSet::new();
    let roots = sources.iter().filter(|source| is_root(&source.path));
    let mut open: Vec<String> = roots.map(|source| source.path.clone()).collect();
    while let Some(path) = open.pop() {
        let source = sources.iter().find(|source| source.path == path);
        if let Some(source) = source.filter(|_| reached.insert(path.clone())) {
            open.extend(source.modules().iter().flat_map(|module| {
                let file = module.file.as_deref();
                file.map_or_else(|| usual(&path, &module.name), |file| vec![beside(&path, file)])
            }));
        }
    }
    let dead = sources.iter().filter(|source| !reached.contains(&source.path));
    let message = "no `mod` leads to this file: nothing compiles it; name it or delete it";
    dead.map(|source| Finding::new(&source.path, 1, message)).collect()
}

/// Where cargo begins to read.
fn is_root(path: &str) -> bool {
    let parts: Vec<&str> = path.split('/').collect();
    match parts.as_slice() {
        [.., "src", "lib.rs" | "main.rs"] | [.., "tests", _, "main.rs"] | ["build.rs"] => true,
        [.., "tests" | "examples" | "benches" | "fuzz_targets", _] => !parts.contains(&"src"),
        _ => false,
    }
}

/// The two files in which `mod name;` of `path` may lie.
fn usual(path: &str, name: &str) -> Vec<String> {
    let owns_folder = is_root(path) || path.ends_with("/mod.rs");
    let folder = if owns_folder {
        beside(path, "")
    } else {
        format!("{}/", path.strip_suffix(".rs").unwrap_or(path))
    };
    vec![format!("{folder}{name}.rs"), format!("{folder}{name}/mod.rs")]
}

fn beside(path: &str, file: &str) -> String {
    path.rsplit_once('/').map_or_else(|| file.to_owned(), |(folder, _)| format!("{folder}/{file}"))
}
