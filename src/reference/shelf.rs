//! All pages of all APIs: which there are, how they hang together, where they are found.
//!
//! An API has below it its topics, its groups of operations, the operations without a group, and
//! one group each of webhooks and schemas; a second document of it has a page of its own with the
//! same below.

use std::collections::HashMap;

use super::error::ReferenceError;
use super::node::Node;
use super::page::{Addresses, Kind, OperationAt, Page, Subject};
use super::spec::{Api, At, METHODS};
use crate::docs::markdown;
use crate::text::cut;

/// The most pages there may be.
pub const PAGES_MAX: usize = 50_000;

/// A description in a list has at most this many characters.
const DESCRIPTION_CHARS_MAX: usize = 160;

/// An operation is in at most this many groups.
const TAGS_MAX: usize = 16;

/// A title has at most this many characters.
const TITLE_CHARS_MAX: usize = 200;

/// Pages, and what they are made of.
#[derive(Debug)]
pub struct Shelf {
    /// The APIs.
    pub apis: Vec<Api>,
    /// The pages, those of one API together.
    pub pages: Vec<Page>,
    /// The page of each API, in order.
    pub roots: Vec<usize>,
    /// By identity of the schema.
    schema_pages: HashMap<usize, usize>,
}

impl Shelf {
    /// Puts the pages of these APIs in place.
    pub fn of(apis: Vec<Api>) -> Result<Self, ReferenceError> {
        let mut shelving = Shelving::default();
        let mut roots = Vec::new();
        for (number, api) in apis.iter().enumerate() {
            roots.push(shelving.pages.len());
            shelving.add_api(api, number);
            if shelving.pages.len() > PAGES_MAX {
                return Err(ReferenceError::TooManyPages { max: PAGES_MAX });
            }
        }
        let Shelving { pages, schema_pages, .. } = shelving;
        // What was moved here lies on the heap as before, so identities still hold.
        Ok(Self { apis, pages, roots, schema_pages })
    }

    /// The page about this schema, if it has a name.
    pub fn schema_page(&self, schema: At<'_>) -> Option<&Page> {
        self.schema_pages.get(&schema.identity()).map(|page| &self.pages[*page])
    }

    /// The operation of a page and the path item it stands in. Pages are made of what is there.
    pub fn operation(&self, page: &Page) -> Option<Operation<'_>> {
        let (place, at) = match &page.subject {
            Subject::Operation(at) => ("paths", at),
            Subject::Webhook(at) => ("webhooks", at),
            _ => return None,
        };
        let api = &self.apis[page.api];
        let root = api.root(at.document);
        let paths = root.get(place);
        let item = api.resolve(paths.with(paths.node.get(&at.path))).ok()?;
        let node = item.get(&at.method);
        Some(Operation { root, item, node })
    }

    /// The schema of a page.
    pub fn schema(&self, page: &Page) -> Option<At<'_>> {
        let Subject::Schema { document, name } = &page.subject else { return None };
        let schemas = self.apis[page.api].schemas(*document);
        schemas.node.find(name).map(|node| schemas.with(node))
    }
}

/// An operation where it stands.
#[derive(Debug, Clone, Copy)]
pub struct Operation<'a> {
    /// The document.
    pub root: At<'a>,
    /// The path item.
    pub item: At<'a>,
    /// The operation.
    pub node: At<'a>,
}

#[derive(Default)]
struct Shelving {
    pages: Vec<Page>,
    addresses: Addresses,
    schema_pages: HashMap<usize, usize>,
}

/// A page before it has an address.
struct Draft<'a> {
    kind: Kind,
    /// What its address ends in.
    name: &'a str,
    title: String,
    description: &'a str,
    subject: Subject,
}

/// The document whose pages are being added.
#[derive(Clone, Copy)]
struct Place<'a> {
    api: &'a Api,
    api_number: usize,
    document: usize,
    /// The page they hang below.
    parent: usize,
}

impl Shelving {
    fn add_api(&mut self, api: &Api, api_number: usize) {
        let main = api.documents.iter().position(|document| document.label.is_empty());
        let info = main.map(|document| api.root(document).get("info").node);
        let title = info.and_then(|info| info.text_of("title")).unwrap_or(&api.name);
        let description = info.map(about).unwrap_or_default();
        let draft = Draft {
            kind: Kind::Api,
            name: "",
            title: title.to_owned(),
            description,
            subject: Subject::Api,
        };
        let root = self.push(&api.name, "", api_number, draft);
        for (number, topic) in api.topics.iter().enumerate() {
            let draft = Draft {
                kind: Kind::Topic,
                name: &topic.name,
                title: topic.prose.title.clone(),
                description: first_words(topic),
                subject: Subject::Topic(number),
            };
            let page = self.push(&api.name, "", api_number, draft);
            self.pages[root].children.push(page);
        }
        for document in 0..api.documents.len() {
            let mut place = Place { api, api_number, document, parent: root };
            if Some(document) != main {
                place.parent = self.add_document(place);
            }
            self.add_paths(place);
            self.add_webhooks(place);
            self.add_schemas(place);
        }
    }

    fn add_document(&mut self, place: Place<'_>) -> usize {
        let label = &place.api.documents[place.document].label;
        let info = place.api.root(place.document).get("info").node;
        let title = info.text_of("title").unwrap_or(label);
        let draft = Draft {
            kind: Kind::Api,
            name: "",
            title: format!("{title} ({label})"),
            description: about(info),
            subject: Subject::Document(place.document),
        };
        self.add(place, draft)
    }

    fn add_paths(&mut self, place: Place<'_>) {
        let root = place.api.root(place.document);
        let operations = operations(place, "paths");
        let mut groups: HashMap<String, usize> = HashMap::new();
        for tag in root.get("tags").node.items() {
            if let Some(name) = tag.text_of("name")
                && !groups.contains_key(name)
                && groups.len() < PAGES_MAX
            {
                let text = tag.text_of("description").unwrap_or_default();
                groups.insert(name.to_owned(), self.add_group(place, name, text));
            }
        }
        for (at, operation) in operations {
            let tags = operation.get("tags").items().iter().filter_map(Node::text);
            let tags: Vec<&str> = tags.take(TAGS_MAX).collect();
            let page = self.add_operation(place, Kind::Operation, at, operation);
            for tag in &tags {
                let group = groups.get(*tag).copied().unwrap_or_else(|| {
                    let group = self.add_group(place, tag, "");
                    groups.insert((*tag).to_owned(), group);
                    group
                });
                // An operation may have a tag twice.
                if self.pages[group].children.last() != Some(&page) {
                    self.pages[group].children.push(page);
                }
            }
            if tags.is_empty() {
                self.pages[place.parent].children.push(page);
            }
        }
    }

    fn add_webhooks(&mut self, place: Place<'_>) {
        let webhooks = operations(place, "webhooks");
        if webhooks.is_empty() {
            return;
        }
        let group = self.add_collection(place, "all-webhooks", "Webhooks");
        for (at, operation) in webhooks {
            let page = self.add_operation(place, Kind::Webhook, at, operation);
            self.pages[group].children.push(page);
        }
    }

    fn add_schemas(&mut self, place: Place<'_>) {
        let schemas = place.api.schemas(place.document);
        if schemas.node.is_empty() {
            return;
        }
        let group = self.add_collection(place, "all-schemas", "Schemas");
        for (name, node) in schemas.node.members() {
            if self.pages.len() > PAGES_MAX {
                return;
            }
            let subject = Subject::Schema { document: place.document, name: name.to_owned() };
            let title = cut::head(name, TITLE_CHARS_MAX).to_owned();
            let draft =
                Draft { kind: Kind::Schema, name, title, description: about(node), subject };
            let page = self.draft(place, draft);
            self.schema_pages.insert(schemas.with(node).identity(), page);
            self.pages[group].children.push(page);
        }
    }

    fn add_group(&mut self, place: Place<'_>, name: &str, text: &str) -> usize {
        let subject = Subject::Group { document: place.document, text: text.to_owned() };
        let title = name.to_owned();
        self.add(place, Draft { kind: Kind::Group, name, title, description: text, subject })
    }

    fn add_collection(&mut self, place: Place<'_>, name: &str, title: &str) -> usize {
        let subject = Subject::Group { document: place.document, text: String::new() };
        let title = title.to_owned();
        self.add(place, Draft { kind: Kind::Group, name, title, description: "", subject })
    }

    fn add_operation(
        &mut self,
        place: Place<'_>,
        kind: Kind,
        at: OperationAt,
        operation: &Node,
    ) -> usize {
        let line = at.line();
        let name = operation.text_of("operationId").unwrap_or(&line);
        let name = if kind == Kind::Webhook { &at.path } else { name }.to_owned();
        let title = match operation.text_of("summary") {
            Some(summary) => format!("{line}: {}", plain_line(summary, TITLE_CHARS_MAX)),
            None => line.clone(),
        };
        // The summary is in the title.
        let description = operation.text_of("description").unwrap_or_default();
        let subject = match kind {
            Kind::Webhook => Subject::Webhook(at),
            _ => Subject::Operation(at),
        };
        self.draft(place, Draft { kind, name: &name, title, description, subject })
    }

    /// Adds a page below the page of its document.
    fn add(&mut self, place: Place<'_>, draft: Draft<'_>) -> usize {
        let page = self.draft(place, draft);
        self.pages[place.parent].children.push(page);
        page
    }

    /// Adds a page that will hang somewhere.
    fn draft(&mut self, place: Place<'_>, draft: Draft<'_>) -> usize {
        let label = &place.api.documents[place.document].label;
        self.push(&place.api.name, label, place.api_number, draft)
    }

    fn push(&mut self, api: &str, label: &str, api_number: usize, draft: Draft<'_>) -> usize {
        let page = Page {
            url: self.addresses.give(api, label, draft.kind, draft.name),
            kind: draft.kind,
            title: plain_line(&draft.title, 2 * TITLE_CHARS_MAX),
            description: plain_line(
                &markdown::plain_text(cut::head(draft.description, 2_000)),
                DESCRIPTION_CHARS_MAX,
            ),
            children: Vec::new(),
            api: api_number,
            subject: draft.subject,
        };
        self.pages.push(page);
        self.pages.len() - 1
    }
}

/// What an API or a schema says of itself.
fn about(node: &Node) -> &str {
    ["description", "summary", "title"].iter().find_map(|key| node.text_of(key)).unwrap_or_default()
}

/// The prose of a topic under its title.
fn first_words(topic: &super::spec::Topic) -> &str {
    let prose = &topic.prose;
    let bodies = (0..prose.sections.len()).map(|section| prose.body(section));
    if prose.description.is_empty() {
        bodies.into_iter().find(|body| !body.is_empty()).unwrap_or_default()
    } else {
        &prose.description
    }
}

/// Text in one line, cut with a mark.
pub fn plain_line(text: &str, chars_max: usize) -> String {
    let mut line = String::new();
    let mut left = chars_max;
    for word in text.split_whitespace() {
        let count = word.chars().count() + usize::from(!line.is_empty());
        if count > left {
            // A single word may be longer than the whole line.
            if line.is_empty() {
                line.push_str(&word[..cut::byte_of_char(word, left)]);
            }
            line.push('…');
            return line;
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
        left -= count;
    }
    line
}

/// The operations of a document, in its order. No more than there may be pages.
fn operations<'a>(place: Place<'a>, under: &str) -> Vec<(OperationAt, &'a Node)> {
    let paths = place.api.root(place.document).get(under);
    let mut found = Vec::new();
    for (path, item) in paths.node.members().filter(|(path, _)| !path.starts_with("x-")) {
        let Ok(item) = place.api.resolve(paths.with(item)) else { continue };
        for method in METHODS {
            if let Some(operation) = item.node.find(method).filter(|it| it.is_map()) {
                let (path, method) = (path.to_owned(), (*method).to_owned());
                let at = OperationAt { document: place.document, path, method };
                found.push((at, operation));
            }
        }
        if found.len() > PAGES_MAX {
            break;
        }
    }
    found
}
