//! From folders to pages: which files are pages, how they are read, how they name each other.
//!
//! 1. List the files; find the Antora components among them.
//! 2. Look at the head of every page: titles and former addresses must be known before the first
//!    page is rendered, because any page may link to any other by them.
//! 3. Render page by page.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    path::PathBuf,
};

use url::Url;

use super::{
    antora::{self, Component},
    asciidoc::{
        self,
        site::{Included, LinkTarget, Site},
    },
    error::DocsError,
    html, manual, markdown,
    page::{self, Page},
    tree::Tree,
};

/// Reads all pages of these folders, or the manual compiled in if there are none.
pub fn read(folders: &[PathBuf], site_url: Option<&Url>) -> Result<Vec<Page>, DocsError> {
    if folders.is_empty() {
        return Ok(manual_pages(site_url));
    }
    let mut pages = Vec::new();
    let mut taken = HashSet::new();
    for folder in folders {
        let before = pages.len();
        for page in read_folder(Tree::walk(folder)?, site_url) {
            if taken.insert(page.path.clone()) {
                pages.push(page);
            } else {
                tracing::warn!(path = page.path, "page hidden by one of an earlier folder");
            }
        }
        if pages.len() == before {
            tracing::warn!(folder = %folder.display(), "no page in this documentation folder");
        }
    }
    Ok(pages)
}

fn manual_pages(site_url: Option<&Url>) -> Vec<Page> {
    let pages = manual::PAGES.iter();
    pages
        .map(|(path, text)| {
            let public_path = page::plain_public_path(path);
            let url = site_url.map(|site| page::address(site, &public_path));
            let document = markdown::read(text, path);
            Page { path: (*path).to_owned(), public_path, url, aliases: Vec::new(), document }
        })
        .collect()
}

fn read_folder(tree: Tree, site_url: Option<&Url>) -> Vec<Page> {
    let folder = Folder::survey(tree, site_url);
    let mut pages = Vec::with_capacity(folder.heads.len());
    for (path, head) in &folder.heads {
        let Some(source) = folder.tree.text(path) else { continue };
        let document = match Format::of(path) {
            Some(Format::AsciiDoc) => asciidoc::read(&source, path, &folder),
            Some(Format::Html) => html::read(&source, path),
            Some(Format::Markdown) | None => markdown::read(&source, path),
        };
        let url = site_url.map(|site| page::address(site, &head.public_path));
        let aliases = head.aliases.clone();
        let public_path = head.public_path.clone();
        pages.push(Page { path: path.clone(), public_path, url, aliases, document });
    }
    pages
}

#[derive(Clone, Copy, PartialEq)]
enum Format {
    Markdown,
    AsciiDoc,
    Html,
}

impl Format {
    fn of(path: &str) -> Option<Self> {
        let (_, extension) = path.rsplit_once('.')?;
        match extension.to_ascii_lowercase().as_str() {
            "md" | "mdx" | "markdown" => Some(Self::Markdown),
            "adoc" | "asciidoc" => Some(Self::AsciiDoc),
            "html" | "htm" => Some(Self::Html),
            _ => None,
        }
    }
}

/// What is known of a page before it is rendered.
struct Head {
    public_path: String,
    title: String,
    aliases: Vec<String>,
}

/// A folder and what its pages may know of each other.
struct Folder<'a> {
    tree: Tree,
    site_url: Option<&'a Url>,
    components: Vec<Component>,
    heads: BTreeMap<String, Head>,
    /// Page paths of earlier days, and where those pages are now.
    moved: HashMap<String, String>,
}

impl<'a> Folder<'a> {
    fn survey(tree: Tree, site_url: Option<&'a Url>) -> Self {
        let components = components(&tree);
        let mut folder =
            Self { tree, site_url, components, heads: BTreeMap::new(), moved: HashMap::new() };
        let paths: Vec<String> = folder.tree.paths().map(str::to_owned).collect();
        for path in paths {
            if let Some(head) = folder.head(&path) {
                for alias in &head.aliases {
                    folder.moved.insert(alias.clone(), path.clone());
                }
                folder.heads.insert(path, head);
            }
        }
        folder
    }

    /// The component a file belongs to: of several around it, the innermost.
    fn component(&self, path: &str) -> Option<&Component> {
        let around = self.components.iter().filter(|it| path.starts_with(&it.root));
        around.max_by_key(|it| it.root.len())
    }

    /// The head of a page; None if the file is not a page.
    fn head(&self, path: &str) -> Option<Head> {
        let format = Format::of(path)?;
        let component = self.component(path);
        let public_path = match component {
            Some(component) => {
                let resource = antora::resource(path.strip_prefix(&component.root)?)?;
                (resource.family == "pages").then(|| resource.public_path())?
            }
            None if path.split('/').any(|part| part.starts_with('_')) => return None,
            None => page::plain_public_path(path),
        };
        let mut head = Head { public_path, title: String::new(), aliases: Vec::new() };
        if format == Format::AsciiDoc {
            let header = asciidoc::header(&self.tree.text(path)?, path, self);
            head.title = header.title;
            head.aliases = header
                .page_aliases
                .iter()
                .filter_map(|alias| component?.resolve(alias, path, "pages"))
                .collect();
        }
        Some(head)
    }

    /// The page an id names, by its path now.
    fn page_path(&self, id: &str, from: &str) -> Option<String> {
        let path = match self.component(from) {
            Some(component) => component.resolve(id, from, "pages")?,
            None => antora::join(folder_of(from), id)?,
        };
        // Authors may leave the extension out, and name a page as it was called once.
        let written = |path: &str| self.heads.contains_key(path).then(|| path.to_owned());
        written(&path)
            .or_else(|| written(&format!("{path}.adoc")))
            .or_else(|| self.moved.get(&path).cloned())
    }
}

fn folder_of(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

fn components(tree: &Tree) -> Vec<Component> {
    let mut components: Vec<Component> = tree
        .paths()
        .filter(|path| *path == "antora.yml" || path.ends_with("/antora.yml"))
        .map(|path| {
            let root = path.trim_end_matches("antora.yml");
            Component::parse(root, &tree.text(path).unwrap_or_default())
        })
        .collect();
    let is_antora_page =
        |path: &str| antora::resource(path).is_some_and(|resource| resource.family == "pages");
    if !components.iter().any(|it| it.root.is_empty()) && tree.paths().any(is_antora_page) {
        components.push(Component::default());
    }
    components
}

impl Site for Folder<'_> {
    fn attributes(&self, path: &str) -> Vec<(String, Option<String>)> {
        let Some(component) = self.component(path) else { return Vec::new() };
        let known = |name: &str, value: &str| (name.to_owned(), Some(value.to_owned()));
        let mut attributes = vec![
            known("page-component-name", &component.name),
            known("page-component-title", &component.title),
            known("page-component-version", &component.version),
            known("page-version", &component.version),
            // What is served is what its owner calls current.
            known("page-component-version-is-latest", ""),
            // Forges resolve this name to the default branch.
            known("page-origin-refname", "HEAD"),
            known("page-origin-branch", "HEAD"),
        ];
        if let Some(resource) = path.strip_prefix(&component.root).and_then(antora::resource) {
            attributes.push(known("page-module", resource.module));
            attributes.push(known("page-relative-src-path", resource.relative));
        }
        attributes.extend(component.attributes.iter().cloned());
        attributes
    }

    fn include(&self, target: &str, from: &str) -> Option<Included> {
        let near = || antora::join(folder_of(from), target);
        let path = match self.component(from) {
            Some(component) if target.contains([':', '$']) => {
                component.resolve(target, from, "pages")?
            }
            _ => near()?,
        };
        Some(Included { text: self.tree.shared_text(&path)?, path })
    }

    fn page(&self, id: &str, from: &str) -> Option<LinkTarget> {
        let path = self.page_path(id, from)?;
        let head = self.heads.get(&path)?;
        let address = match self.site_url {
            Some(site) => page::address(site, &head.public_path),
            None => page::encoded(&path),
        };
        Some(LinkTarget { title: head.title.clone(), address })
    }

    fn image(&self, id: &str, from: &str) -> String {
        let resolved = self.component(from).and_then(|component| {
            let path = component.resolve(id, from, "images")?;
            let resource = antora::resource(path.strip_prefix(&component.root)?)?;
            let module = match resource.module {
                "ROOT" => String::new(),
                module => format!("{module}/"),
            };
            let public_path = format!("{module}_images/{}", resource.relative);
            Some(self.site_url.map_or(path.clone(), |site| page::address(site, &public_path)))
        });
        resolved.unwrap_or_else(|| id.to_owned())
    }
}

#[cfg(test)]
mod tests;
