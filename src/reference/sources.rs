//! From what the settings name to the APIs.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use super::error::ReferenceError;
use super::files::Files;
use super::parse::Syntax;
use super::spec::{self, Api, is_document};
use crate::docs::tree::Tree;

/// The folder beside a document in which its topics lie.
const TOPICS_FOLDER: &str = "x-topics";

/// The name tools take for every API.
pub const EVERY_API: &str = "all";

/// Names of APIs are at most this long, in characters.
const NAME_CHARS_MAX: usize = 64;

/// An OpenAPI document, or a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// What tools call the API. Without a name, a folder is named by itself, and one that holds
    /// no document holds a folder for each API.
    pub name: Option<String>,
    /// The file or folder.
    pub path: PathBuf,
}

/// A document that is compiled in.
#[derive(Debug, Clone)]
pub struct OwnDocument {
    /// What tools call the API.
    pub name: String,
    /// Its text, in YAML.
    pub text: String,
}

/// Reads all APIs of these sources, in their order; those of a folder in the order of their names.
pub fn read(sources: &[Source], own: &OwnDocument) -> Result<Vec<Api>, ReferenceError> {
    if sources.is_empty() {
        let path = format!("{}.yaml", own.name);
        let files = Files::of_text(&path, &own.text)?;
        return Ok(vec![spec::assemble(own.name.clone(), files, vec![path], Vec::new())?]);
    }
    let mut apis: Vec<Api> = Vec::new();
    for source in sources {
        apis.extend(read_source(source)?);
    }
    let mut taken = BTreeSet::new();
    for api in &apis {
        check_name(&api.name)?;
        if !taken.insert(api.name.to_lowercase()) {
            let (name, message) = (api.name.clone(), "is given twice");
            return Err(ReferenceError::Name { name, message });
        }
    }
    Ok(apis)
}

/// A name becomes part of addresses and is typed by models.
fn check_name(name: &str) -> Result<(), ReferenceError> {
    let complain = |message| Err(ReferenceError::Name { name: name.to_owned(), message });
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    if name.is_empty() || name.len() > NAME_CHARS_MAX || !name.chars().all(is_plain) {
        return complain("must have 1 to 64 letters, digits, dots, dashes and underscores");
    }
    if name.eq_ignore_ascii_case(EVERY_API) {
        return complain("stands for every API");
    }
    Ok(())
}

fn read_source(source: &Source) -> Result<Vec<Api>, ReferenceError> {
    let path = &source.path;
    if path.is_file() {
        let name = source.name.clone().unwrap_or_else(|| stem_of(path));
        return Ok(vec![read_file(name, path)?]);
    }
    if !path.is_dir() {
        return Err(ReferenceError::Missing { path: path.clone() });
    }
    let no_document = || ReferenceError::NoDocument { path: path.clone() };
    if let Some(name) = &source.name {
        let api = read_folder(name.clone(), path, Depth::All)?.ok_or_else(no_document)?;
        return Ok(vec![api]);
    }
    if read_folder(name_of(path), path, Depth::Top)?.is_some() {
        return Ok(read_folder(name_of(path), path, Depth::All)?.into_iter().collect());
    }
    let mut apis = Vec::new();
    for folder in folders_in(path)? {
        match read_folder(name_of(&folder), &folder, Depth::All)? {
            Some(api) => apis.push(api),
            None => tracing::warn!(folder = %folder.display(), "no OpenAPI document in it"),
        }
    }
    if apis.is_empty() { Err(no_document()) } else { Ok(apis) }
}

fn name_of(folder: &Path) -> String {
    let canonical = folder.canonicalize();
    let folder = canonical.as_deref().unwrap_or(folder);
    folder.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn stem_of(file: &Path) -> String {
    file.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}

fn folders_in(folder: &Path) -> Result<Vec<PathBuf>, ReferenceError> {
    let fault = |source| ReferenceError::Read { path: folder.to_path_buf(), source };
    let mut folders = Vec::new();
    for entry in fs::read_dir(folder).map_err(fault)? {
        let entry = entry.map_err(fault)?;
        let is_hidden = entry.file_name().to_string_lossy().starts_with('.');
        if !is_hidden && entry.path().is_dir() {
            folders.push(entry.path());
        }
    }
    folders.sort();
    Ok(folders)
}

/// One file and what it refers to.
fn read_file(name: String, file: &Path) -> Result<Api, ReferenceError> {
    let folder = file.parent().filter(|it| !it.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let path = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let mut files = Files::of_folder(folder)?;
    files.read(&path, file)?;
    let mut topics = Vec::new();
    let beside = folder.join(TOPICS_FOLDER);
    if beside.is_dir() {
        let tree = Tree::walk(&beside)?;
        let found = topic_files(&tree).into_iter();
        topics.extend(found.map(|(path, file)| (format!("{TOPICS_FOLDER}/{path}"), file)));
    }
    named(file, spec::assemble(name, files, vec![path], topics))
}

/// Says of an error that names a file by its path in the folder where that is.
fn named(place: &Path, api: Result<Api, ReferenceError>) -> Result<Api, ReferenceError> {
    api.map_err(|error| match error {
        ReferenceError::Broken { path, message } if path.is_relative() => {
            let path = if place.is_dir() { place.join(path) } else { place.to_path_buf() };
            ReferenceError::Broken { path, message }
        }
        other => other,
    })
}

/// How far down documents are looked for.
#[derive(Clone, Copy, PartialEq)]
enum Depth {
    /// In the folder itself.
    Top,
    /// In the folders in it as well.
    All,
}

/// Everything of a folder that says it is a document, and the prose beside it. None if nothing
/// does.
fn read_folder(name: String, folder: &Path, depth: Depth) -> Result<Option<Api>, ReferenceError> {
    let tree = Tree::walk(folder)?;
    let mut files = Files::of_folder(folder)?;
    let paths: Vec<&str> = tree
        .paths()
        .filter(|path| depth == Depth::All || !path.contains('/'))
        .filter(|path| Syntax::of(path).is_some() && !is_hidden(path))
        .collect();
    for path in &paths {
        if let Some(file) = tree.file(path) {
            files.read(path, file)?;
        }
    }
    let documents: Vec<String> = paths
        .iter()
        .filter(|path| files.get(path).is_some_and(is_document))
        .map(|path| (*path).to_owned())
        .collect();
    if documents.is_empty() {
        return Ok(None);
    }
    named(folder, spec::assemble(name, files, documents, topic_files(&tree))).map(Some)
}

fn is_hidden(path: &str) -> bool {
    path.split('/').any(|part| part.starts_with('.'))
}

fn topic_files(tree: &Tree) -> Vec<(String, PathBuf)> {
    let found = tree.paths().filter(|path| spec::is_topic(Path::new(path)));
    found.filter_map(|path| Some((path.to_owned(), tree.file(path)?.to_path_buf()))).collect()
}
