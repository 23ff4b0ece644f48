//! Antora's layout: components, modules and families, and the ids that pages name each other by.
//!
//! A component is a folder with an `antora.yml` or with `modules/*/pages`. Of that file only the
//! name, the version and the document attributes matter here, and a YAML parser is a large thing
//! to carry for scalars under one key, so a small reader of our own takes what it knows and passes
//! over the rest.

use super::page;

/// One component of an Antora site.
#[derive(Debug, Default, PartialEq)]
pub struct Component {
    /// The folder it lies in, relative to the corpus folder: empty, or ending in `/`.
    pub root: String,
    pub name: String,
    pub title: String,
    pub version: String,
    /// `asciidoc.attributes`, in order; no value means the attribute is unset.
    pub attributes: Vec<(String, Option<String>)>,
}

/// A file of a module: `modules/<module>/<family>/<relative>`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Resource<'a> {
    pub module: &'a str,
    /// The folder of the family: `pages`, `partials`, `examples`, `attachments`, `images`.
    pub family: &'a str,
    pub relative: &'a str,
}

/// Where a file lies in its component, or None if it is not in a module.
pub fn resource(path_in_component: &str) -> Option<Resource<'_>> {
    let rest = path_in_component.strip_prefix("modules/")?;
    let (module, rest) = rest.split_once('/')?;
    let (family, relative) = rest.split_once('/')?;
    Some(Resource { module, family, relative })
}

impl Resource<'_> {
    /// Where the public site shows this page.
    pub fn public_path(&self) -> String {
        page::antora_public_path(self.module, self.relative)
    }
}

impl Component {
    /// The component in a folder, described by its `antora.yml` (empty if there is none).
    pub fn parse(root: &str, yaml: &str) -> Self {
        let mut component = Self { root: root.to_owned(), ..Self::default() };
        let mut in_asciidoc = false;
        // The column of the attribute names, once the first one is seen.
        let mut attribute_column: Option<Option<usize>> = None;
        for line in yaml.lines() {
            let text = line.trim_start();
            if text.is_empty() || text.starts_with('#') {
                continue;
            }
            let column = line.len() - text.len();
            let Some((key, value)) = text.split_once(':') else { continue };
            let (key, value) = (unquoted(key.trim()), scalar(value));
            if column == 0 {
                in_asciidoc = key == "asciidoc";
                attribute_column = None;
                match key {
                    "name" => component.name = value.unwrap_or_default(),
                    "title" => component.title = value.unwrap_or_default(),
                    "version" => component.version = value.unwrap_or_default(),
                    _ => {}
                }
            } else if in_asciidoc && key == "attributes" && attribute_column.is_none() {
                attribute_column = Some(None);
            } else if let Some(expected) = &mut attribute_column
                && column == *expected.get_or_insert(column)
            {
                component.attributes.push((key.to_owned(), value));
            }
        }
        component
    }

    /// The path a resource id names, seen from a file of this component. None if it leads to
    /// another component, or nowhere.
    ///
    /// An id is `version@component:module:family$relative`, of which all but the last may be left
    /// out; `default_family` is what a missing family means at this place.
    pub fn resolve(&self, id: &str, from: &str, default_family: &str) -> Option<String> {
        let from = resource(from.strip_prefix(&self.root)?)?;
        let id = id.rsplit_once('@').map_or(id, |(_, id)| id);
        let mut parts = id.rsplit(':');
        let rest = parts.next()?;
        let module = parts.next().filter(|module| !module.is_empty());
        if let Some(component) = parts.next()
            && component != self.name
        {
            return None;
        }
        let (family, relative) = match rest.split_once('$') {
            Some((family, relative)) => (family_folder(family)?, relative),
            None => (default_family, rest),
        };
        let is_local = module.is_none() && family == from.family;
        let folder = match from.relative.rsplit_once('/') {
            Some((folder, _)) if is_local && relative.starts_with('.') => folder,
            _ => "",
        };
        let relative = join(folder, relative)?;
        let module = module.unwrap_or(from.module);
        Some(format!("{}modules/{module}/{family}/{relative}", self.root))
    }
}

fn family_folder(family: &str) -> Option<&'static str> {
    Some(match family {
        "page" => "pages",
        "partial" => "partials",
        "example" => "examples",
        "attachment" => "attachments",
        "image" => "images",
        _ => return None,
    })
}

/// A path relative to a folder, with `.` and `..` followed. None if it leads out at the top.
pub fn join(folder: &str, relative: &str) -> Option<String> {
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in relative.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

/// A YAML scalar as an attribute value. `false`, `~` and `null` unset; a trailing `@` only says
/// that pages may override, which they may anyway here.
fn scalar(value: &str) -> Option<String> {
    let value = value.trim();
    for quote in ['"', '\''] {
        if let Some(rest) = value.strip_prefix(quote)
            && let Some((inner, _)) = rest.rsplit_once(quote)
        {
            return Some(inner.trim_end_matches('@').to_owned());
        }
    }
    let value = value.split(" #").next().unwrap_or(value).trim_end().trim_end_matches('@');
    match value {
        "false" | "~" | "null" => None,
        "true" => Some(String::new()),
        value => Some(value.to_owned()),
    }
}

fn unquoted(key: &str) -> &str {
    key.trim_matches(['"', '\''])
}

#[cfg(test)]
mod tests {
    use super::*;

    const YAML: &str = "\
name: gate
title: The Gate
version: '2.1' # quoted
nav:
- modules/ROOT/nav.adoc
asciidoc:
  attributes:
    # a comment
    product: Gatehouse@
    beta: false
    flag: true
    badge: 'image:https://x.example/y.svg[]'
    nested:
      inner: no
    page-date: 2026-07-28
other:
  attributes:
    not-ours: 1
";

    fn component() -> Component {
        Component::parse("", YAML)
    }

    #[test]
    fn names_and_attributes_are_read() {
        let component = component();
        assert_eq!((component.name.as_str(), component.version.as_str()), ("gate", "2.1"));
        let value = |key: &str| {
            let found = component.attributes.iter().find(|(name, _)| name == key);
            found.map(|(_, value)| value.as_deref())
        };
        assert_eq!(value("product"), Some(Some("Gatehouse")));
        assert_eq!(value("beta"), Some(None));
        assert_eq!(value("flag"), Some(Some("")));
        assert_eq!(value("badge"), Some(Some("image:https://x.example/y.svg[]")));
        assert_eq!(value("page-date"), Some(Some("2026-07-28")));
        assert_eq!(value("inner"), None);
        assert_eq!(value("not-ours"), None);
    }

    #[test]
    fn resource_ids_resolve_from_where_they_stand() {
        let from = "modules/manage/pages/tls/enable.adoc";
        let cases = [
            ("other.adoc", Some("modules/manage/pages/other.adoc")),
            ("./near.adoc", Some("modules/manage/pages/tls/near.adoc")),
            ("../up.adoc", Some("modules/manage/pages/up.adoc")),
            ("ROOT:index.adoc", Some("modules/ROOT/pages/index.adoc")),
            ("gate:ROOT:index.adoc", Some("modules/ROOT/pages/index.adoc")),
            ("2.0@gate:ROOT:index.adoc", Some("modules/ROOT/pages/index.adoc")),
            ("partial$x.adoc", Some("modules/manage/partials/x.adoc")),
            ("ROOT:example$a/b.yaml", Some("modules/ROOT/examples/a/b.yaml")),
            ("elsewhere:ROOT:index.adoc", None),
            ("../../../../etc/passwd", None),
            ("unknown$x", None),
        ];
        for (id, expected) in cases {
            assert_eq!(component().resolve(id, from, "pages").as_deref(), expected, "{id}");
        }
    }

    #[test]
    fn only_files_of_a_module_are_resources() {
        assert_eq!(resource("modules/ROOT/nav.adoc"), None);
        assert_eq!(resource("README.adoc"), None);
        let found = resource("modules/a/pages/b/c.adoc").unwrap();
        assert_eq!((found.module, found.family, found.relative), ("a", "pages", "b/c.adoc"));
        assert_eq!(found.public_path(), "a/b/c/");
    }
}
