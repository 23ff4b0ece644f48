//! What a schema is, in a few words: its type, its name, its bounds.

use std::fmt::Write as _;

use super::sheet::code_span;
use crate::reference::node::Node;
use crate::reference::shelf::Shelf;
use crate::reference::spec::{Api, At};

/// Types inside types beyond this depth are not told: `array of array of …`.
const DEPTH_MAX: usize = 3;

/// More alternatives than this are counted.
const ALTERNATIVES_MAX: usize = 8;

/// More values of an enumeration than this are counted.
pub const VALUES_MAX: usize = 60;

/// Where types are looked up.
#[derive(Clone, Copy)]
pub struct Types<'a> {
    /// All pages.
    pub shelf: &'a Shelf,
    /// The API the schemas belong to.
    pub api: &'a Api,
}

impl<'a> Types<'a> {
    /// The type of a schema; one with a page links there.
    pub fn label(self, schema: At<'a>) -> String {
        self.label_within(schema, 0)
    }

    fn label_within(self, schema: At<'a>, depth: usize) -> String {
        let target = match self.api.resolve(schema) {
            Ok(target) => target,
            Err(reference) => return format!("unknown: {} leads nowhere", code_span(reference)),
        };
        let is_reference = schema.node.find("$ref").is_some();
        let Some(page) = self.shelf.schema_page(target).filter(|_| is_reference) else {
            return self.plain(target, depth);
        };
        let link = format!("[{}]({})", page.title.replace(['[', ']'], ""), page.url);
        match self.plain(target, DEPTH_MAX).as_str() {
            "object" | "any" => link,
            "object or null" => format!("{link} or null"),
            plain => format!("{plain} {link}"),
        }
    }

    /// The type without regard to its name.
    fn plain(self, schema: At<'a>, depth: usize) -> String {
        let node = schema.node;
        if let Node::Bool(allows) = node {
            return if *allows { "any".to_owned() } else { "nothing".to_owned() };
        }
        for (key, joint) in [("oneOf", " or "), ("anyOf", " or "), ("allOf", " and ")] {
            let parts = node.get(key).items();
            let is_all = key == "allOf";
            if parts.is_empty() || (is_all && parts.len() != 1) {
                continue;
            }
            if depth >= DEPTH_MAX {
                break;
            }
            let labels = parts.iter().take(ALTERNATIVES_MAX);
            let mut labels: Vec<String> =
                labels.map(|part| self.label_within(schema.with(part), depth + 1)).collect();
            labels.dedup();
            if parts.len() > ALTERNATIVES_MAX {
                labels.push(format!("{} others", parts.len() - ALTERNATIVES_MAX));
            }
            return or_null(labels.join(joint), node);
        }
        or_null(self.named_type(schema, depth), node)
    }

    fn named_type(self, schema: At<'a>, depth: usize) -> String {
        let node = schema.node;
        let listed = node.get("type").items();
        let names: Vec<&str> = if listed.is_empty() {
            node.get("type").text().into_iter().collect()
        } else {
            listed.iter().filter_map(Node::text).filter(|name| *name != "null").collect()
        };
        let each = names.iter().map(|name| match *name {
            "array" => self.array(schema, depth),
            "object" => self.object(schema, depth),
            name => match node.text_of("format") {
                Some(format) => format!("{name} ({})", super::sheet::cell(format)),
                None => super::sheet::cell(name),
            },
        });
        let joined = each.collect::<Vec<_>>().join(" or ");
        if !joined.is_empty() {
            return joined;
        }
        // Many documents leave the type to be guessed.
        if node.find("items").is_some() {
            return self.array(schema, depth);
        }
        let has_fields = ["properties", "additionalProperties", "patternProperties", "allOf"];
        if has_fields.iter().any(|key| node.find(key).is_some()) {
            return self.object(schema, depth);
        }
        if listed.is_empty() { "any".to_owned() } else { "null".to_owned() }
    }

    fn array(self, schema: At<'a>, depth: usize) -> String {
        let items = schema.get("items");
        if items.node.is_empty() || depth >= DEPTH_MAX {
            return "array".to_owned();
        }
        format!("array of {}", self.label_within(items, depth + 1))
    }

    fn object(self, schema: At<'a>, depth: usize) -> String {
        let values = schema.get("additionalProperties");
        let is_map = values.node.is_map() && schema.node.get("properties").is_empty();
        if !is_map || values.node.is_empty() || depth >= DEPTH_MAX {
            return "object".to_owned();
        }
        format!("map of {}", self.label_within(values, depth + 1))
    }
}

fn or_null(label: String, node: &Node) -> String {
    let types = node.get("type").items();
    let is_listed = types.iter().any(|name| name.text() == Some("null"));
    if (node.says("nullable") || is_listed) && label != "null" {
        format!("{label} or null")
    } else {
        label
    }
}

/// What may and may not stand for a schema besides its type, as short sentences.
pub fn bounds(node: &Node) -> Vec<String> {
    let mut told = Vec::new();
    let values = node.get("enum").items();
    let is_constant = values.len() == 1 && node.find("const") == values.first();
    if !values.is_empty() && !is_constant {
        let shown = values.iter().take(VALUES_MAX).map(|value| code_span(&value.brief()));
        let mut list = shown.collect::<Vec<_>>().join(", ");
        if values.len() > VALUES_MAX {
            // Writing to a String cannot fail.
            let _ = write!(list, " and {} others", values.len() - VALUES_MAX);
        }
        told.push(format!("One of: {list}."));
    }
    if let Some(value) = node.find("const") {
        told.push(format!("Always {}.", code_span(&value.brief())));
    }
    if let Some(value) = node.find("default").filter(|value| **value != Node::Null) {
        told.push(format!("Default: {}.", code_span(&value.brief())));
    }
    told.extend(range(node));
    for (least, most, unit) in [
        ("minLength", "maxLength", "characters"),
        ("minItems", "maxItems", "items"),
        ("minProperties", "maxProperties", "members"),
    ] {
        match (node.find(least), node.find(most)) {
            (Some(least), Some(most)) => {
                told.push(format!("{} to {} {unit}.", least.brief(), most.brief()));
            }
            (Some(least), None) => told.push(format!("At least {} {unit}.", least.brief())),
            (None, Some(most)) => told.push(format!("At most {} {unit}.", most.brief())),
            (None, None) => {}
        }
    }
    if let Some(pattern) = node.text_of("pattern") {
        told.push(format!("Matches {}.", code_span(pattern)));
    }
    if let Some(step) = node.find("multipleOf") {
        told.push(format!("A multiple of {}.", step.brief()));
    }
    for (key, words) in [
        ("uniqueItems", "No item twice."),
        ("readOnly", "Read only."),
        ("writeOnly", "Write only."),
        ("deprecated", "**Deprecated.**"),
    ] {
        if node.says(key) {
            told.push(words.to_owned());
        }
    }
    told
}

/// The least and the greatest number; up to OpenAPI 3.0 a switch says that a bound is excluded,
/// since then it is a number of its own.
fn range(node: &Node) -> Vec<String> {
    let mut told = Vec::new();
    for (bound, exclusive, included, excluded) in [
        ("minimum", "exclusiveMinimum", "At least", "More than"),
        ("maximum", "exclusiveMaximum", "At most", "Less than"),
    ] {
        if let Some(value @ Node::Number(_)) = node.find(exclusive) {
            told.push(format!("{excluded} {}.", value.brief()));
        }
        if let Some(value) = node.find(bound) {
            let words = if node.says(exclusive) { excluded } else { included };
            told.push(format!("{words} {}.", value.brief()));
        }
    }
    told
}
