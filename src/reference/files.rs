//! The files of one API. All reading of disk for it happens here, and only inside its folder.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    io::Read as _,
    path::{Path, PathBuf},
};

use super::error::ReferenceError;
use super::node::Node;
use super::parse::{Syntax, parse};

/// Larger files are not read: the largest public documents have about ten megabytes.
pub const FILE_BYTES_MAX: u64 = 20 * 1024 * 1024;

/// All files of one API together.
const API_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// No more files are read because others refer to them.
const REFERRED_FILES_MAX: usize = 1_000;

/// The files read so far, by their path relative to the folder, `/` between parts.
#[derive(Debug)]
pub struct Files {
    /// The folder with every link resolved. Nothing outside of it is read. None for a document
    /// that was not read from disk.
    folder: Option<PathBuf>,
    nodes: BTreeMap<String, Node>,
    bytes: u64,
}

impl Files {
    /// The files of a folder, none read yet.
    pub fn of_folder(folder: &Path) -> Result<Self, ReferenceError> {
        let missing = |_| ReferenceError::Missing { path: folder.to_path_buf() };
        let folder = folder.canonicalize().map_err(missing)?;
        Ok(Self { folder: Some(folder), nodes: BTreeMap::new(), bytes: 0 })
    }

    /// A single document that is no file.
    pub fn of_text(path: &str, text: &str) -> Result<Self, ReferenceError> {
        let broken = |message| ReferenceError::Broken { path: PathBuf::from(path), message };
        let node = parse(text, Syntax::of(path).unwrap_or(Syntax::Yaml)).map_err(broken)?;
        Ok(Self { folder: None, nodes: BTreeMap::from([(path.to_owned(), node)]), bytes: 0 })
    }

    /// What was read of a file.
    pub fn get(&self, path: &str) -> Option<&Node> {
        self.nodes.get(path)
    }

    /// A file that was read, with its path as it is kept.
    pub fn find(&self, path: &str) -> Option<(&str, &Node)> {
        self.nodes.get_key_value(path).map(|(path, node)| (path.as_str(), node))
    }

    /// The paths of the files that were read, in order.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.nodes.keys().map(String::as_str)
    }

    /// Puts something else in the place of a file.
    pub fn replace(&mut self, path: &str, node: Node) {
        self.nodes.insert(path.to_owned(), node);
    }

    /// Reads a YAML or JSON file of the folder.
    pub fn read(&mut self, path: &str, file: &Path) -> Result<(), ReferenceError> {
        let broken = |message| ReferenceError::Broken { path: file.to_path_buf(), message };
        let text = read_text(file)?;
        self.bytes += text.len() as u64;
        if self.bytes > API_BYTES_MAX {
            return Err(broken("with it, the files of this API have more than 64 MiB".to_owned()));
        }
        let syntax = Syntax::of(path).ok_or_else(|| broken("neither YAML nor JSON".to_owned()))?;
        let node = parse(&text, syntax).map_err(broken)?;
        self.nodes.insert(path.to_owned(), node);
        Ok(())
    }

    /// Reads the files that those read so far refer to, and so on. What cannot be found, lies
    /// outside of the folder or on another machine is left out: its place is told on the page.
    pub fn read_referred(&mut self) -> Result<(), ReferenceError> {
        let mut waiting: Vec<String> = self.nodes.keys().cloned().collect();
        let mut tried = BTreeSet::new();
        while let Some(path) = waiting.pop() {
            let Some(node) = self.nodes.get(&path) else { continue };
            for target in referred(node, &path) {
                if self.nodes.contains_key(&target) || !tried.insert(target.clone()) {
                    continue;
                }
                if tried.len() > REFERRED_FILES_MAX {
                    tracing::warn!(path, "an API refers to too many files; the rest is not read");
                    return Ok(());
                }
                let Some(file) = self.inside(&target) else {
                    tracing::warn!(
                        path,
                        target,
                        "an API refers to a file that is not in its folder"
                    );
                    continue;
                };
                if Syntax::of(&target).is_some() {
                    self.read(&target, &file)?;
                    waiting.push(target);
                }
            }
        }
        Ok(())
    }

    /// Where a file of the folder lies; none if it is not in there, links followed.
    pub fn inside(&self, path: &str) -> Option<PathBuf> {
        let folder = self.folder.as_ref()?;
        let file = folder.join(path).canonicalize().ok()?;
        (file.starts_with(folder) && file.is_file()).then_some(file)
    }
}

/// The text of a file. Stray bytes become replacement characters.
pub fn read_text(file: &Path) -> Result<String, ReferenceError> {
    let fault = |source| ReferenceError::Read { path: file.to_path_buf(), source };
    let mut bytes = Vec::new();
    // The size is checked on what is read, not before: a file may grow in between.
    let opened = fs::File::open(file).map_err(fault)?;
    opened.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(fault)?;
    if bytes.len() as u64 > FILE_BYTES_MAX {
        return Err(fault(io::Error::new(io::ErrorKind::FileTooLarge, "larger than 20 MiB")));
    }
    if bytes.contains(&0) {
        return Err(fault(io::Error::new(io::ErrorKind::InvalidData, "not a text file")));
    }
    Ok(String::from_utf8(bytes)
        .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()))
}

/// The files that a value refers to anywhere in it, as paths in the folder.
fn referred(node: &Node, from: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut waiting = vec![node];
    while let Some(node) = waiting.pop() {
        if let Some(reference) = node.get("$ref").text()
            && let Some(target) = target_file(reference, from)
        {
            found.insert(target);
        }
        waiting.extend(node.items());
        waiting.extend(node.members().map(|(_, member)| member));
    }
    found
}

/// The file a reference names besides the one it stands in, as a path in the folder. None if it
/// names no other file, or one that is not in the folder.
pub fn target_file(reference: &str, from: &str) -> Option<String> {
    let (file, _) = reference.split_once('#').unwrap_or((reference, ""));
    // What has a scheme or a host is on another machine, and nothing is fetched.
    if file.is_empty() || file.contains(':') || file.starts_with('/') || file.contains('\\') {
        return None;
    }
    let folder = from.rsplit_once('/').map_or("", |(folder, _)| folder);
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in file.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()?),
            part => parts.push(part),
        }
    }
    (!parts.is_empty()).then(|| parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_stays_in_the_folder() {
        for (reference, from, target) in [
            ("b.yaml", "a.yaml", Some("b.yaml")),
            ("./b.yaml#/x", "sub/a.yaml", Some("sub/b.yaml")),
            ("../b.yaml", "sub/a.yaml", Some("b.yaml")),
            ("../b.yaml", "a.yaml", None),
            ("sub/../../b.yaml", "a.yaml", None),
            ("/etc/passwd", "a.yaml", None),
            ("file:///etc/passwd", "a.yaml", None),
            ("https://evil.example/x.yaml#/a", "a.yaml", None),
            ("//evil.example/x.yaml", "a.yaml", None),
            ("C:\\x.yaml", "a.yaml", None),
            ("#/components/schemas/A", "a.yaml", None),
            ("", "a.yaml", None),
        ] {
            assert_eq!(target_file(reference, from).as_deref(), target, "{reference} in {from}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn links_out_of_the_folder_are_not_followed() {
        let outside = tempfile::tempdir().unwrap();
        fs::write(outside.path().join("secret.yaml"), "a: 1").unwrap();
        let folder = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink(outside.path(), folder.path().join("out")).unwrap();
        let document = "x: {$ref: out/secret.yaml}\ny: {$ref: ./missing.yaml}\n";
        fs::write(folder.path().join("a.yaml"), document).unwrap();
        let mut files = Files::of_folder(folder.path()).unwrap();
        files.read("a.yaml", &folder.path().join("a.yaml")).unwrap();
        files.read_referred().unwrap();
        assert_eq!(files.paths().collect::<Vec<_>>(), ["a.yaml"]);
    }

    #[test]
    fn files_refer_to_files_and_back() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::create_dir(at("sub")).unwrap();
        fs::write(at("a.yaml"), "x: [{$ref: 'sub/b.json#/y'}, {$ref: 'sub/t.md'}]").unwrap();
        fs::write(at("sub/b.json"), r#"{"y": {"$ref": "../a.yaml#/x"}}"#).unwrap();
        fs::write(at("sub/t.md"), "# T").unwrap();
        let mut files = Files::of_folder(folder.path()).unwrap();
        files.read("a.yaml", &at("a.yaml")).unwrap();
        files.read_referred().unwrap();
        assert_eq!(files.paths().collect::<Vec<_>>(), ["a.yaml", "sub/b.json"]);
    }

    #[test]
    fn a_file_that_is_too_large_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("large.yaml");
        fs::File::create(&file).unwrap().set_len(FILE_BYTES_MAX + 1).unwrap();
        let error = read_text(&file).unwrap_err();
        assert!(error.to_string().contains("large.yaml"), "{error}");
        let source = std::error::Error::source(&error).unwrap().to_string();
        assert!(source.contains("20 MiB"), "{source}");
    }
}
