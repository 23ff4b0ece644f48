//! The repository's files, and how a finding is told.
//!
//! Never here: rules.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use crate::rust::Source;

/// A place that breaks a rule, and what to do there.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// Below the repository's root.
    pub file: String,
    /// From 1; the file as a whole is line 1.
    pub line: usize,
    /// What is broken, and what to do.
    pub message: String,
}

impl Finding {
    /// At `line` of `file`.
    pub fn new(file: &str, line: usize, message: impl Into<String>) -> Self {
        Self { file: file.to_owned(), line, message: message.into() }
    }
}

/// Fails, naming every place, unless there is none.
pub fn expect_none(mut findings: Vec<Finding>) {
    findings.sort();
    findings.dedup();
    let mut told = String::new();
    for Finding { file, line, message } in &findings {
        let _ = writeln!(told, "{file}:{line}: {message}");
    }
    assert!(findings.is_empty(), "\n{told}{} to be mended", findings.len());
}

/// The repository's root.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The text of the file at `path`, or a failure that says what it is for.
pub fn read(path: &str, purpose: &str) -> String {
    fs::read_to_string(root().join(path))
        .unwrap_or_else(|error| panic!("{path}: {error}; it is needed here: {purpose}"))
}

/// The Rust files below `folders`.
pub fn rust_below(folders: &[&str]) -> Vec<Source> {
    let paths = files().into_iter().filter(|path| has_extension(path, "rs"));
    let wanted = paths.filter(|path| folders.iter().any(|folder| is_below(path, folder)));
    let sources: Vec<Source> =
        wanted.map(|path| Source::new(&path, &read(&path, "it was listed"))).collect();
    assert!(!sources.is_empty(), "no Rust file below {folders:?}: the rule would see nothing");
    sources
}

/// Every text file that belongs to the repository, with its text.
pub fn texts() -> Vec<(String, String)> {
    let all = files().into_iter();
    all.filter_map(|path| Some((path.clone(), fs::read_to_string(root().join(path)).ok()?)))
        .collect()
}

/// Every file that belongs to the repository: what a fresh clone holds, plus what is new.
pub fn files() -> Vec<String> {
    let ignored = ignored(&read(".gitignore", "what is no part of the repository"));
    let mut found = Vec::new();
    walk(root(), &ignored, &mut found);
    found.sort();
    found
}

/// The entries of a `.gitignore` written as this repository does: from the root, no patterns.
fn ignored(text: &str) -> Vec<String> {
    let entries = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    let plain = entries.map(|entry| {
        let name = entry.strip_prefix('/').filter(|name| !name.contains(['*', '?', '[', '!']));
        name.unwrap_or_else(|| panic!(".gitignore: {entry}: write it as /path")).to_owned()
    });
    plain.chain([".git".to_owned()]).collect()
}

fn walk(folder: &Path, ignored: &[String], found: &mut Vec<String>) {
    let entries = fs::read_dir(folder).expect("a folder of the repository can be read");
    for path in entries.filter_map(|entry| entry.ok().map(|entry| entry.path())) {
        let below = below_root(&path);
        if ignored.contains(&below) {
            continue;
        }
        if path.is_dir() {
            walk(&path, ignored, found);
        } else {
            found.push(below);
        }
    }
}

fn below_root(path: &Path) -> String {
    let below = path.strip_prefix(root()).expect("the walk began at the root");
    below.components().map(|part| part.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("/")
}

/// Whether `path` is `folder` or lies in it.
pub fn is_below(path: &str, folder: &str) -> bool {
    path.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Whether the file's name ends in `.extension`.
pub fn has_extension(path: &str, extension: &str) -> bool {
    Path::new(path).extension().is_some_and(|found| found == extension)
}

/// Where other people's documentation lies for whoever tests with it; never part of this
/// repository.
pub fn shared_corpus() -> PathBuf {
    root().join("../shared/corpus")
}
