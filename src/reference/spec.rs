//! One API: its OpenAPI documents, the files they refer to, and the topics beside them.

use std::path::{Path, PathBuf};

use super::error::ReferenceError;
use super::files::{Files, read_text, target_file};
use super::node::Node;
use super::swagger;
use crate::docs::{document::Document as Prose, markdown};

/// What an operation can be called by (OpenAPI 3.2 added `query`), in the order of reading.
pub const METHODS: &[&str] =
    &["get", "query", "post", "put", "patch", "delete", "options", "head", "trace"];

/// How many references one after the other are followed.
const HOPS_MAX: usize = 16;

/// An API.
#[derive(Debug)]
pub struct Api {
    /// What tools call it.
    pub name: String,
    /// Everything read of it.
    pub files: Files,
    /// Its documents, by path.
    pub documents: Vec<Document>,
    /// Its topics: prose beside the documents.
    pub topics: Vec<Topic>,
}

/// One OpenAPI document.
#[derive(Debug)]
pub struct Document {
    /// Its path among the files.
    pub path: String,
    /// What the addresses of its pages have behind the name of the API; empty for the main
    /// document.
    pub label: String,
    /// The version of OpenAPI it is written in, as it says.
    pub version: String,
}

/// Prose beside the documents.
#[derive(Debug)]
pub struct Topic {
    /// What its address ends in, before it is made unique.
    pub name: String,
    /// Its text.
    pub prose: Prose,
}

/// A value, and the file it stands in.
#[derive(Debug, Clone, Copy)]
pub struct At<'a> {
    /// The path of the file.
    pub file: &'a str,
    /// The value.
    pub node: &'a Node,
}

impl<'a> At<'a> {
    /// A member of the value.
    #[must_use]
    pub fn get(self, name: &str) -> At<'a> {
        At { file: self.file, node: self.node.get(name) }
    }

    /// Another value of the same file.
    #[must_use]
    pub fn with(self, node: &'a Node) -> At<'a> {
        At { file: self.file, node }
    }

    /// What tells this value from every other: where it lies in memory. A snapshot is never
    /// changed, so that stays, however a reference to it is spelled.
    pub fn identity(self) -> usize {
        std::ptr::from_ref(self.node).addr()
    }
}

impl Api {
    /// The root of a document.
    pub fn root(&self, document: usize) -> At<'_> {
        let path = self.documents[document].path.as_str();
        At { file: path, node: self.files.get(path).unwrap_or(&super::node::NOTHING) }
    }

    /// The value, or what it refers to, references followed. The error is the reference that
    /// leads nowhere.
    pub fn resolve<'a>(&'a self, at: At<'a>) -> Result<At<'a>, &'a str> {
        let mut at = at;
        for _ in 0..HOPS_MAX {
            let Some(reference) = at.node.get("$ref").text() else { return Ok(at) };
            at = self.target(reference, at.file).ok_or(reference)?;
        }
        Err(at.node.get("$ref").text().unwrap_or_default())
    }

    fn target<'a>(&'a self, reference: &str, from: &str) -> Option<At<'a>> {
        let (file, pointer) = reference.split_once('#').unwrap_or((reference, ""));
        let (file, root) = match file {
            "" => self.files.find(from)?,
            _ => self.files.find(&target_file(reference, from)?)?,
        };
        let pointer = percent_encoding::percent_decode_str(pointer).decode_utf8().ok()?;
        Some(At { file, node: root.pointer(&pointer)? })
    }

    /// Where the document keeps its named schemas.
    pub fn schemas(&self, document: usize) -> At<'_> {
        let root = self.root(document);
        let schemas = root.get("components").get("schemas");
        if schemas.node.is_map() { schemas } else { root.get("definitions") }
    }
}

/// Puts an API together from files of which the documents are among those read.
pub fn assemble(
    name: String,
    mut files: Files,
    documents: Vec<String>,
    topic_files: Vec<(String, PathBuf)>,
) -> Result<Api, ReferenceError> {
    let mut heads = Vec::new();
    for path in documents {
        let Some(root) = files.get(&path) else { continue };
        let version = version_of(root)
            .map_err(|message| ReferenceError::Broken { path: PathBuf::from(&path), message })?;
        if swagger::is_one(root) {
            let converted = swagger::as_openapi(root);
            files.replace(&path, converted);
        }
        let label = stem(&path).replace('/', "-");
        heads.push(Document { path, label, version });
    }
    files.read_referred()?;
    // The main document keeps its addresses when another one joins it.
    match &mut heads[..] {
        [only] => only.label.clear(),
        several => {
            if let Some(main) = several.iter_mut().find(|head| head.label == name) {
                main.label.clear();
            }
        }
    }
    heads.sort_by(|a, b| (!a.label.is_empty(), &a.path).cmp(&(!b.label.is_empty(), &b.path)));
    let mut topics = Vec::new();
    let mut known = Vec::new();
    for head in &heads {
        named_topics(&files, &head.path, &mut topics, &mut known);
    }
    for (path, file) in topic_files.into_iter().filter(|(path, _)| !known.contains(path)) {
        topics.push(topic(&path, &read_text(&file)?, None));
    }
    Ok(Api { name, files, documents: heads, topics })
}

/// Whether a file says of itself that it is a document.
pub fn is_document(root: &Node) -> bool {
    root.find("openapi").is_some() || root.find("swagger").is_some()
}

/// The version a document is written in, or what is wrong with it.
fn version_of(root: &Node) -> Result<String, String> {
    let said = |key: &str| root.find(key).map(Node::brief);
    match (said("openapi"), said("swagger")) {
        (Some(version), _) if version.starts_with("3.") || version == "3" => Ok(version),
        (Some(version), _) => Err(format!(
            "it says `openapi: {}`; OpenAPI 3.x and Swagger 2.0 can be read",
            shortened(&version)
        )),
        (None, Some(version)) if version.starts_with("2.") || version == "2" => Ok(version),
        (None, Some(version)) => Err(format!(
            "it says `swagger: {}`; OpenAPI 3.x and Swagger 2.0 can be read",
            shortened(&version)
        )),
        (None, None) => {
            Err("it is no OpenAPI document: at its top there is no `openapi`".to_owned())
        }
    }
}

fn shortened(text: &str) -> &str {
    crate::text::cut::head(text, 40)
}

/// A path without the extension.
pub fn stem(path: &str) -> &str {
    path.rsplit_once('.').map_or(path, |(stem, _)| stem)
}

/// Topics that a document lists itself (`x-topics`), in the document or in a file it names. The
/// paths of those files go to `known`.
fn named_topics(files: &Files, path: &str, topics: &mut Vec<Topic>, known: &mut Vec<String>) {
    let Some(root) = files.get(path) else { return };
    let listed = [root.get("x-topics"), root.get("info").get("x-topics")];
    for entry in listed.into_iter().flat_map(Node::items) {
        let title = entry.text_of("title");
        let content = entry.get("content");
        let text = content.text().or_else(|| entry.text_of("description"));
        if let (Some(text), Some(title)) = (text, title) {
            topics.push(topic(title, text, Some(title)));
            continue;
        }
        let reference = content.get("$ref").text().or_else(|| entry.get("$ref").text());
        let Some(target) = reference.and_then(|reference| target_file(reference, path)) else {
            continue;
        };
        let Some(file) = files.inside(&target) else {
            tracing::warn!(path, target, "a topic is not in the folder of its API");
            continue;
        };
        if !is_topic(Path::new(&target)) {
            continue;
        }
        match read_text(&file) {
            Ok(text) => topics.push(topic(&target, &text, title)),
            Err(error) => tracing::warn!(path, target, %error, "a topic cannot be read"),
        }
        known.push(target);
    }
}

/// Whether a file is prose by its name.
pub fn is_topic(path: &Path) -> bool {
    path.extension().is_some_and(|it| it.eq_ignore_ascii_case("md") || it == "markdown")
}

fn topic(path: &str, text: &str, title: Option<&str>) -> Topic {
    let mut prose = markdown::read(&markdown::without_html(text), path);
    if let Some(title) = title {
        title.clone_into(&mut prose.title);
    }
    let name = stem(path).rsplit('/').next().unwrap_or(path).to_owned();
    Topic { name, prose }
}
