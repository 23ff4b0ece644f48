//! The files of one documentation folder. All reading of disk happens here, and only inside it.

use std::{
    cell::RefCell,
    collections::{BTreeMap, HashMap, HashSet},
    fs, io,
    io::Read as _,
    path::{Path, PathBuf},
    rc::Rc,
};

use super::error::DocsError;

/// Larger files are data, not documentation.
const FILE_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// Folders in folders beyond this depth are not entered.
const DEPTH_MAX: usize = 32;

/// The files under a folder, by their path relative to it. What is not in this list cannot be
/// read, whatever a page asks to include.
pub struct Tree {
    files: BTreeMap<String, PathBuf>,
    /// Texts asked for more than once: partials that many pages include.
    texts: RefCell<HashMap<String, Option<Rc<str>>>>,
}

impl Tree {
    /// Lists a folder. Links that lead out of it are not followed.
    pub fn walk(root: &Path) -> Result<Self, DocsError> {
        let missing = || DocsError::MissingFolder { path: root.to_path_buf() };
        let canonical_root = root.canonicalize().map_err(|_| missing())?;
        if !canonical_root.is_dir() {
            return Err(missing());
        }
        let mut walk = Walk {
            entered: HashSet::from([canonical_root.clone()]),
            canonical_root: canonical_root.clone(),
            files: BTreeMap::new(),
        };
        walk.enter(&canonical_root, "", 0)?;
        Ok(Self { files: walk.files, texts: RefCell::default() })
    }

    /// The paths of all files, in order.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.files.keys().map(String::as_str)
    }

    /// Where a file of the list lies, links followed.
    pub fn file(&self, path: &str) -> Option<&Path> {
        self.files.get(path).map(PathBuf::as_path)
    }

    /// The text of a file that is read once. None, and a warning, if it is no text or too large.
    pub fn text(&self, path: &str) -> Option<String> {
        let file = self.files.get(path)?;
        match read_text(file) {
            Ok(text) => Some(text),
            Err(error) => {
                tracing::warn!(path, %error, "documentation file skipped");
                None
            }
        }
    }

    /// The text of a file that may be asked for again.
    pub fn shared_text(&self, path: &str) -> Option<Rc<str>> {
        if let Some(known) = self.texts.borrow().get(path) {
            return known.clone();
        }
        let text = self.text(path).map(Rc::from);
        self.texts.borrow_mut().insert(path.to_owned(), text.clone());
        text
    }
}

struct Walk {
    canonical_root: PathBuf,
    entered: HashSet<PathBuf>,
    files: BTreeMap<String, PathBuf>,
}

impl Walk {
    fn enter(&mut self, folder: &Path, prefix: &str, depth: usize) -> Result<(), DocsError> {
        let fault = |source| DocsError::Read { path: folder.to_path_buf(), source };
        for entry in fs::read_dir(folder).map_err(fault)? {
            let entry = entry.map_err(fault)?;
            let name = entry.file_name();
            // A name that is not UTF-8 could be neither asked for nor cited.
            let Some(name) = name.to_str().filter(|name| !name.starts_with('.')) else { continue };
            let Some((target, kind)) = self.resolve(&entry) else { continue };
            let path = format!("{prefix}{name}");
            if kind.is_file() {
                self.files.insert(path, target);
            } else if kind.is_dir() && depth < DEPTH_MAX && self.entered.insert(target.clone()) {
                self.enter(&target, &format!("{path}/"), depth + 1)?;
            }
        }
        Ok(())
    }

    /// Where an entry leads, if that is inside the folder. A file that vanished between listing
    /// and looking, or a link to nowhere, is no file.
    fn resolve(&self, entry: &fs::DirEntry) -> Option<(PathBuf, fs::FileType)> {
        let kind = entry.file_type().ok()?;
        if !kind.is_symlink() {
            return Some((entry.path(), kind));
        }
        let target = entry.path().canonicalize().ok()?;
        if !target.starts_with(&self.canonical_root) {
            tracing::warn!(path = %entry.path().display(), "link out of the folder not followed");
            return None;
        }
        let kind = fs::metadata(&target).ok()?.file_type();
        Some((target, kind))
    }
}

/// The text of a file. Stray bytes become replacement characters; a file with NUL bytes is not
/// text.
fn read_text(file: &Path) -> io::Result<String> {
    let mut bytes = Vec::new();
    // The size is checked on what is read, not before: a file may grow in between.
    fs::File::open(file)?.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > FILE_BYTES_MAX {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, "larger than 4 MB"));
    }
    if bytes.contains(&0) {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "not a text file"));
    }
    String::from_utf8(bytes).or_else(|error| {
        tracing::warn!(path = %file.display(), "stray bytes in a documentation file replaced");
        Ok(String::from_utf8_lossy(error.as_bytes()).into_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(tree: &Tree) -> Vec<&str> {
        tree.paths().collect()
    }

    #[test]
    fn a_missing_folder_is_named() {
        let error = Tree::walk(Path::new("/nonexistent/docs")).err().unwrap();
        assert!(matches!(error, DocsError::MissingFolder { path } if path.ends_with("docs")));
    }

    #[test]
    fn a_file_is_not_a_folder() {
        let file = tempfile::NamedTempFile::new().unwrap();
        assert!(matches!(Tree::walk(file.path()), Err(DocsError::MissingFolder { .. })));
    }

    #[test]
    fn hidden_files_are_not_listed() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join(".git")).unwrap();
        fs::create_dir_all(folder.path().join("a/b")).unwrap();
        for file in [".git/x.md", ".y.md", "a/b/z.md"] {
            fs::write(folder.path().join(file), "x").unwrap();
        }
        assert_eq!(paths(&Tree::walk(folder.path()).unwrap()), ["a/b/z.md"]);
    }

    #[cfg(unix)]
    #[test]
    fn links_are_followed_only_inside_the_folder() {
        use std::os::unix::fs::symlink;
        let outside = tempfile::tempdir().unwrap();
        fs::write(outside.path().join("secret.md"), "s").unwrap();
        let folder = tempfile::tempdir().unwrap();
        let inside = |name: &str| folder.path().join(name);
        fs::create_dir(inside("a")).unwrap();
        fs::write(inside("a/x.md"), "x").unwrap();
        symlink(outside.path().join("secret.md"), inside("secret.md")).unwrap();
        symlink(outside.path(), inside("out")).unwrap();
        symlink(inside("a/x.md"), inside("y.md")).unwrap();
        symlink(folder.path(), inside("a/loop")).unwrap();
        assert_eq!(paths(&Tree::walk(folder.path()).unwrap()), ["a/x.md", "y.md"]);
    }

    #[test]
    fn files_that_are_no_text_are_skipped() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("nul.md"), b"a\0b").unwrap();
        fs::write(folder.path().join("latin.md"), b"caf\xe9").unwrap();
        fs::write(folder.path().join("large.md"), vec![b'x'; 4 * 1024 * 1024 + 1]).unwrap();
        let tree = Tree::walk(folder.path()).unwrap();
        assert_eq!(tree.text("nul.md"), None);
        assert_eq!(tree.text("large.md"), None);
        assert_eq!(tree.text("latin.md").as_deref(), Some("caf\u{fffd}"));
        assert_eq!(tree.shared_text("missing.md"), None);
    }
}
