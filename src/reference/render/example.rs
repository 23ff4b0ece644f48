//! An example of a value: the one given, or one made of the schema.

use crate::reference::node::{Map, Node};
use crate::reference::spec::{Api, At};

/// Values inside values of a made example beyond this depth are left out.
const DEPTH_MAX: usize = 7;

/// A made example has at most this many values.
const VALUES_MAX: usize = 250;

/// An example is shown up to this many bytes of JSON.
const EXAMPLE_BYTES_MAX: usize = 6_000;

/// Who sends the value: what is read only is not sent, and what is write only not answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    /// A client to the API.
    Request,
    /// The API to a client.
    Response,
}

/// Examples of a media type: their titles, empty if there is but one, and the values.
pub fn of_media<'a>(api: &'a Api, media: At<'a>, direction: Direction) -> Vec<(String, Node)> {
    let given = given(api, media);
    if !given.is_empty() {
        return given.into_iter().filter(|(_, value)| fits(value)).collect();
    }
    let schema = media.get("schema");
    if schema.node.is_empty() {
        return Vec::new();
    }
    let value = of_schema(api, schema, direction);
    if fits(&value) && value != Node::Null { vec![(String::new(), value)] } else { Vec::new() }
}

fn fits(value: &Node) -> bool {
    value.pretty().len() <= EXAMPLE_BYTES_MAX
}

/// What the document gives itself.
fn given<'a>(api: &'a Api, media: At<'a>) -> Vec<(String, Node)> {
    let mut found = Vec::new();
    for (name, entry) in media.node.get("examples").members().take(4) {
        let Ok(entry) = api.resolve(media.with(entry)) else { continue };
        // In OpenAPI an entry has its value inside; in the wild it often is the value.
        let keys = ["value", "summary", "description", "externalValue", "dataValue"];
        let is_entry = keys.iter().any(|key| entry.node.find(key).is_some());
        let value = ["value", "dataValue"].iter().find_map(|key| entry.node.find(key));
        let title = entry.node.text_of("summary").unwrap_or(name);
        match value {
            Some(value) => found.push((title.to_owned(), value.clone())),
            None if !is_entry => found.push((title.to_owned(), entry.node.clone())),
            None => {}
        }
    }
    if let Some(value) = media.node.find("example") {
        found.insert(0, (String::new(), value.clone()));
    }
    found
}

/// A value as the schema wants it.
pub fn of_schema<'a>(api: &'a Api, schema: At<'a>, direction: Direction) -> Node {
    Maker { api, direction, open: Vec::new(), left: VALUES_MAX }.make(schema)
}

struct Maker<'a> {
    api: &'a Api,
    direction: Direction,
    open: Vec<usize>,
    left: usize,
}

impl<'a> Maker<'a> {
    fn make(&mut self, schema: At<'a>) -> Node {
        let Ok(schema) = self.api.resolve(schema) else { return Node::Null };
        let is_inside = self.open.contains(&schema.identity());
        if is_inside || self.left == 0 || self.open.len() >= DEPTH_MAX {
            return Node::Null;
        }
        self.left -= 1;
        if let Some(value) = stated(schema.node) {
            return value.clone();
        }
        self.open.push(schema.identity());
        let made = self.made(schema);
        self.open.pop();
        made
    }

    fn made(&mut self, schema: At<'a>) -> Node {
        let node = schema.node;
        let mut members = Map::new();
        for part in node.get("allOf").items() {
            match self.make(schema.with(part)) {
                Node::Map(part) => members.extend(part),
                Node::Null => {}
                other if members.is_empty() => return other,
                _ => {}
            }
        }
        for key in ["oneOf", "anyOf"] {
            let is_null = |part: &&Node| part.get("type").text() == Some("null");
            let Some(first) = node.get(key).items().iter().find(|it| !is_null(it)) else {
                continue;
            };
            match self.make(schema.with(first)) {
                Node::Map(part) => members.extend(part),
                other if node.get("properties").is_empty() => return other,
                _ => {}
            }
        }
        for (name, field) in node.get("properties").members() {
            if self.is_left_out(schema.with(field)) {
                continue;
            }
            let value = self.make(schema.with(field));
            // A field that cannot be shown is better missing than null, which may be refused.
            if value != Node::Null {
                members.insert(name.to_owned(), value);
            }
        }
        if !members.is_empty() {
            return Node::Map(members);
        }
        self.of_type(schema)
    }

    fn is_left_out(&self, field: At<'a>) -> bool {
        let Ok(field) = self.api.resolve(field) else { return true };
        match self.direction {
            Direction::Request => field.node.says("readOnly"),
            Direction::Response => field.node.says("writeOnly"),
        }
    }

    fn of_type(&mut self, schema: At<'a>) -> Node {
        let node = schema.node;
        let listed = node.get("type").items().iter().filter_map(Node::text);
        let name = node.get("type").text().or_else(|| listed.into_iter().find(|it| *it != "null"));
        let text = |text: &str| Node::Text(text.to_owned());
        match name {
            Some("string") => text(by_format(node.text_of("format").unwrap_or_default())),
            Some("integer" | "number") => {
                node.find("minimum").cloned().unwrap_or(Node::Number(0.into()))
            }
            Some("boolean") => Node::Bool(true),
            Some("array") => self.list(schema),
            Some("object") => self.map(schema),
            _ if node.get("items").is_map() => self.list(schema),
            _ if node.get("additionalProperties").is_map() => self.map(schema),
            _ => Node::Null,
        }
    }

    fn list(&mut self, schema: At<'a>) -> Node {
        match self.make(schema.get("items")) {
            Node::Null => Node::List(Vec::new()),
            item => Node::List(vec![item]),
        }
    }

    fn map(&mut self, schema: At<'a>) -> Node {
        let values = schema.get("additionalProperties");
        let mut members = Map::new();
        if values.node.is_map() {
            let value = self.make(values);
            if value != Node::Null {
                members.insert("name".to_owned(), value);
            }
        }
        Node::Map(members)
    }
}

/// A value the schema states itself.
fn stated(node: &Node) -> Option<&Node> {
    let first = |key: &str| node.get(key).items().first();
    let found = node
        .find("example")
        .or_else(|| first("examples"))
        .or_else(|| node.find("const"))
        .or_else(|| node.find("default"))
        .or_else(|| first("enum"))?;
    (*found != Node::Null).then_some(found)
}

fn by_format(format: &str) -> &'static str {
    match format {
        "date-time" => "2026-01-31T12:00:00Z",
        "date" => "2026-01-31",
        "time" => "12:00:00Z",
        "duration" => "30s",
        "uuid" => "123e4567-e89b-12d3-a456-426614174000",
        "email" => "user@example.com",
        "uri" | "url" => "https://example.com",
        "hostname" => "example.com",
        "ipv4" => "192.0.2.1",
        "ipv6" => "2001:db8::1",
        "int64" | "uint64" | "int32" | "uint32" => "0",
        "byte" => "c3RyaW5n",
        _ => "string",
    }
}
