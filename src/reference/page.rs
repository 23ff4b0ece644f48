//! A page of the reference: what it is about, and its address.
//!
//! An address is `api://<api>/<kind>/<name>`, with the label of the document before the kind when
//! an API has several. It is made of names that the documents give, so it survives a re-reading;
//! it names nothing on any site, which is why its scheme is none of the web's.

use std::collections::{HashMap, hash_map::Entry};

/// What every address begins with.
pub const SCHEME: &str = "api://";

/// The last part of an address has at most this many characters, before it is made unique.
const NAME_CHARS_MAX: usize = 120;

/// What kind of thing a page is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// An API, or one of its documents.
    Api,
    /// Operations that belong together, or all schemas.
    Group,
    /// An operation.
    Operation,
    /// A named schema.
    Schema,
    /// Prose.
    Topic,
    /// A call that the API makes.
    Webhook,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Api, Self::Group, Self::Operation, Self::Schema, Self::Topic, Self::Webhook];

    /// The word for it, in addresses and as a filter.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Api => "api",
            Self::Group => "group",
            Self::Operation => "operation",
            Self::Schema => "schema",
            Self::Topic => "topic",
            Self::Webhook => "webhook",
        }
    }
}

/// A page.
#[derive(Debug)]
pub struct Page {
    /// Its address.
    pub url: String,
    /// What kind of thing it is about.
    pub kind: Kind,
    /// Its title.
    pub title: String,
    /// A sentence about it, in plain text; may be empty.
    pub description: String,
    /// The pages below it, by number.
    pub children: Vec<usize>,
    /// The number of its API.
    pub api: usize,
    /// What it is about.
    pub subject: Subject,
}

/// What a page is about, and where that is found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// The API with all its documents.
    Api,
    /// One of several documents.
    Document(usize),
    /// Operations with one tag, or a collection.
    Group {
        /// The document.
        document: usize,
        /// What the document says of it, as Markdown.
        text: String,
    },
    /// An operation.
    Operation(OperationAt),
    /// A call that the API makes.
    Webhook(OperationAt),
    /// A schema.
    Schema {
        /// The document.
        document: usize,
        /// Its name there.
        name: String,
    },
    /// The topic of this number.
    Topic(usize),
}

/// Where an operation is found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OperationAt {
    /// The document.
    pub document: usize,
    /// The path, or the name of the webhook.
    pub path: String,
    /// The method, in lower case.
    pub method: String,
}

impl OperationAt {
    /// As it is written on a request line.
    pub fn line(&self) -> String {
        format!("{} {}", self.method.to_uppercase(), self.path)
    }
}

/// Gives out addresses, none twice.
#[derive(Debug, Default)]
pub struct Addresses {
    /// Addresses in lower case, and the number the next of that name gets. Two that differ in case
    /// only would be confused by whoever types one.
    taken: HashMap<String, usize>,
}

impl Addresses {
    /// The address of a page.
    pub fn give(&mut self, api: &str, label: &str, kind: Kind, name: &str) -> String {
        let document = if label.is_empty() { String::new() } else { format!("/{}", plain(label)) };
        let base = format!("{SCHEME}{api}{document}");
        if kind == Kind::Api {
            return self.unique(base);
        }
        self.unique(format!("{base}/{}/{}", kind.word(), plain(name)))
    }

    fn unique(&mut self, address: String) -> String {
        let mut number = *self.taken.entry(address.to_lowercase()).or_insert(1);
        let mut unique = address.clone();
        while number > 1 {
            unique = format!("{address}-{number}");
            if let Entry::Vacant(free) = self.taken.entry(unique.to_lowercase()) {
                free.insert(2);
                break;
            }
            number += 1;
        }
        self.taken.insert(address.to_lowercase(), number + 1);
        unique
    }
}

/// A name with nothing in it that ends or escapes a part of an address.
fn plain(name: &str) -> String {
    let mut plain = String::new();
    let mut count = 0;
    let mut is_gap = false;
    for c in name.chars() {
        if !(c.is_alphanumeric() || "_.~-".contains(c)) {
            is_gap = true;
            continue;
        }
        if is_gap && !plain.is_empty() {
            plain.push('-');
            count += 1;
        }
        is_gap = false;
        plain.push(c);
        count += 1;
        if count >= NAME_CHARS_MAX {
            break;
        }
    }
    // Dots alone would mean another folder.
    if plain.trim_matches('.').is_empty() { "unnamed".to_owned() } else { plain }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_readable_and_unique() {
        let mut addresses = Addresses::default();
        let mut give = |kind, name: &str| addresses.give("admin", "", kind, name);
        for (kind, name, url) in [
            (Kind::Api, "", "api://admin"),
            (Kind::Operation, "get_broker", "api://admin/operation/get_broker"),
            (Kind::Operation, "get_broker", "api://admin/operation/get_broker-2"),
            (Kind::Operation, "get_broker", "api://admin/operation/get_broker-3"),
            (Kind::Operation, "Get_Broker", "api://admin/operation/Get_Broker-4"),
            (Kind::Operation, "GET /v1/{id}", "api://admin/operation/GET-v1-id"),
            (Kind::Schema, "a.b.C", "api://admin/schema/a.b.C"),
            (Kind::Schema, "../..", "api://admin/schema/..-.."),
            (Kind::Schema, "..", "api://admin/schema/unnamed"),
            (Kind::Schema, "{}", "api://admin/schema/unnamed-2"),
            (Kind::Schema, "x-2", "api://admin/schema/x-2"),
            (Kind::Schema, "x", "api://admin/schema/x"),
            (Kind::Schema, "X", "api://admin/schema/X-3"),
            (Kind::Group, "Redpanda ACLs", "api://admin/group/Redpanda-ACLs"),
        ] {
            assert_eq!(give(kind, name), url);
        }
        let labelled = addresses.give("admin", "admin-v2", Kind::Schema, "x");
        assert_eq!(labelled, "api://admin/admin-v2/schema/x");
        let long = addresses.give("a", "", Kind::Schema, &"ü".repeat(500));
        assert!(long.chars().count() < NAME_CHARS_MAX + 20);
    }

    #[test]
    fn many_of_one_name_cost_little() {
        let mut addresses = Addresses::default();
        let last = (0..20_000).map(|_| addresses.give("a", "", Kind::Schema, "x")).last();
        assert_eq!(last.as_deref(), Some("api://a/schema/x-20000"));
    }
}
