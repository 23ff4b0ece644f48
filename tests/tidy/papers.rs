//! What stands beside the code agrees with it: manifests, documents, tables.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use crate::rust::Source;
use crate::tree::{Finding, root};

/// Operations that `tests/README.md` does not name yet. May only shrink.
pub const UNTESTED_OPERATIONS: &[&str] = &[];

/// Dependencies named only so that their features are on.
pub const ONLY_FOR_FEATURES: &[&str] = &[];

/// Where a machine keeps what is its own. In pieces, as this file is looked at too.
const MACHINE_FOLDERS: &[&str] =
    &[concat!("/wo", "rk/"), concat!("/ro", "ot/"), concat!("/ho", "me/")];

/// A file this small is like another by chance.
const COPY_BYTES_MIN: u64 = 200;

/// Paths that exist on somebody's machine only.
pub fn machine_paths(file: &str, text: &str) -> Vec<Finding> {
    let mut found = Vec::new();
    for (number, line) in text.lines().enumerate() {
        for folder in MACHINE_FOLDERS {
            // In an address or a longer path it is somebody else's folder.
            let is_start = |at: usize| {
                let before = line[..at].chars().next_back();
                !before.is_some_and(|c| c.is_alphanumeric() || "~._-/}".contains(c))
            };
            if line.match_indices(folder).any(|(at, _)| is_start(at)) {
                let message = format!("{folder} is a folder of one machine: make it relative");
                found.push(Finding::new(file, number + 1, message));
            }
        }
    }
    found
}

/// Lists of packages that say where from: everybody has a registry of their own.
pub fn registries(file: &str, text: &str) -> Vec<Finding> {
    let marks: &[&str] = match file.rsplit('/').next() {
        Some("package-lock.json") => &["\"resolved\""],
        Some("requirements.txt") => &["://", "--index-url", "--extra-index-url"],
        Some(".npmrc") => &["://", "registry="],
        _ => return Vec::new(),
    };
    let lines = text.lines().enumerate();
    let named = lines.filter(|(_, line)| marks.iter().any(|mark| line.contains(mark)));
    let message = "it names a registry: say what is installed and in which version";
    named.map(|(number, _)| Finding::new(file, number + 1, message)).collect()
}

/// Files that are also part of the shared corpus: other people's, lent for tests.
pub fn copies(files: &[String], corpus: &Path) -> Vec<Finding> {
    let mut by_size: HashMap<u64, Vec<&String>> = HashMap::new();
    for file in files {
        let size = fs::metadata(root().join(file)).map_or(0, |metadata| metadata.len());
        if size >= COPY_BYTES_MIN {
            by_size.entry(size).or_default().push(file);
        }
    }
    let mut found = Vec::new();
    let mut open = vec![corpus.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let Ok(metadata) = entry.metadata() else { continue };
            if metadata.is_dir() {
                open.push(entry.path());
                continue;
            }
            for file in by_size.get(&metadata.len()).into_iter().flatten() {
                if fs::read(root().join(file)).ok() == fs::read(entry.path()).ok() {
                    let message = "a file of the shared corpus: not ours to keep; write our own";
                    found.push(Finding::new(file, 1, message));
                }
            }
        }
    }
    found
}

/// A dependency of a `Cargo.toml` and the section it stands in.
#[derive(Debug, PartialEq, Eq)]
pub struct Dependency {
    /// From 1.
    pub line: usize,
    /// `dependencies`, `dev-dependencies`, `workspace.dependencies`.
    pub section: String,
    /// As the manifest writes it.
    pub name: String,
}

impl Dependency {
    /// As the code writes it.
    pub fn in_code(&self) -> String {
        self.name.replace('-', "_")
    }
}

/// The dependencies of a manifest.
pub fn dependencies(manifest: &str) -> Vec<Dependency> {
    let mut section = String::new();
    let mut found = Vec::new();
    for (number, line) in manifest.lines().enumerate() {
        if let Some(name) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            name.clone_into(&mut section);
        } else if section.ends_with("dependencies") {
            let Some((key, _)) = line.split_once('=') else { continue };
            let name = key.trim().split('.').next().unwrap_or_default();
            let is_key = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
            if line.starts_with(is_key) && name.chars().all(is_key) {
                let section = section.clone();
                found.push(Dependency { line: number + 1, section, name: name.to_owned() });
            }
        }
    }
    found
}

/// Dependencies of the manifest at `file` that no code names.
pub fn unused_dependencies(
    file: &str,
    manifest: &str,
    product: &[Source],
    tests: &[Source],
) -> Vec<Finding> {
    let names = |sources: &[Source], name: &str| {
        sources.iter().any(|source| source.words().any(|(_, word)| word == name))
    };
    let mut found = Vec::new();
    for dependency in dependencies(manifest) {
        let in_code = dependency.in_code();
        let is_used = match dependency.section.as_str() {
            "dependencies" => names(product, &in_code),
            "dev-dependencies" => names(tests, &in_code) || names(product, &in_code),
            _ => continue,
        };
        if !is_used && !ONLY_FOR_FEATURES.contains(&dependency.name.as_str()) {
            let message = format!("no code names {}: take it out", dependency.name);
            found.push(Finding::new(file, dependency.line, message));
        }
    }
    found
}

/// Dependencies of the workspace that no member takes.
pub fn untaken_dependencies(file: &str, manifest: &str, members: &[String]) -> Vec<Finding> {
    let shared = dependencies(manifest).into_iter();
    let shared = shared.filter(|dependency| dependency.section == "workspace.dependencies");
    let is_taken = |dependency: &Dependency| {
        let taken = format!("{}.workspace", dependency.name);
        let as_table = format!("{} = {{ workspace", dependency.name);
        members
            .iter()
            .flat_map(|member| member.lines())
            .any(|line| line.starts_with(&taken) || line.starts_with(&as_table))
    };
    let untaken = shared.filter(|dependency| !is_taken(dependency));
    let message = |name: &str| format!("no member takes {name}: take it out");
    untaken.map(|found| Finding::new(file, found.line, message(&found.name))).collect()
}

/// Files of `folder` named like migrations that `lib` does not run.
pub fn unlisted_migrations(files: &[String], lib: &Source) -> Vec<Finding> {
    let mut found = Vec::new();
    for file in files {
        let Some(name) = file.strip_prefix("migration/src/") else { continue };
        let Some(name) = name.strip_suffix(".rs").filter(|name| is_migration(name)) else {
            continue;
        };
        if !lib.code.contains(&format!("Box::new({name}::Migration)")) {
            let message = "migration/src/lib.rs does not run it: add it to `migrations`, last";
            found.push(Finding::new(file, 1, message));
        }
    }
    found
}

fn is_migration(name: &str) -> bool {
    name.strip_prefix('m').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
}

/// The operations of the OpenAPI document.
pub fn operations(document: &str) -> Vec<(usize, &str)> {
    let lines = document.lines().enumerate();
    lines
        .filter_map(|(number, line)| {
            let id = line.trim().strip_prefix("operationId:")?;
            Some((number + 1, id.trim().trim_matches(['"', '\''])))
        })
        .collect()
}

/// Operations that `table` does not name.
pub fn untested_operations(document: &str, table: &str) -> Vec<Finding> {
    let missing = operations(document)
        .into_iter()
        .filter(|(_, id)| !table.contains(&format!("`{id}`")) && !UNTESTED_OPERATIONS.contains(id));
    let message = |id: &str| format!("tests/README.md does not name `{id}`: which test calls it?");
    missing.map(|(line, id)| Finding::new("openapi.yaml", line, message(id))).collect()
}

/// Settings that `manual` does not name.
pub fn undescribed_settings<'a>(
    names: impl Iterator<Item = &'a str>,
    manual: &str,
) -> Vec<Finding> {
    let missing = names.filter(|name| !manual.contains(&format!("`{name}`")));
    let message = |name: &str| format!("the setting `{name}` is not described: add it");
    missing.map(|name| Finding::new("docs/settings.md", 1, message(name))).collect()
}

/// What configuration files in `text` set that is no setting.
pub fn unknown_variables(file: &str, text: &str, variables: &[String]) -> Vec<Finding> {
    let is_name = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
    let mut found = Vec::new();
    for (number, line) in text.lines().enumerate() {
        for (at, _) in line.match_indices("GATEHOUSE_") {
            let end = line[at..].find(|c| !is_name(c)).map_or(line.len(), |length| at + length);
            let name = &line[at..end];
            if !variables.iter().any(|variable| variable == name) {
                let message = format!("there is no setting {name}: the start would stop at it");
                found.push(Finding::new(file, number + 1, message));
            }
        }
    }
    found
}
