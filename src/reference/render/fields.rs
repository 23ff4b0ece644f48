//! A schema as a tree of its fields.
//!
//! A named schema is unfolded where it is met first on a page and linked to after that. So a page
//! says everything once, a schema that contains itself ends, and what is too deep or too long is
//! one link away.

use std::collections::HashSet;

use super::label::{Types, bounds};
use super::sheet::{Sheet, code_span, indented};
use crate::docs::markdown;
use crate::reference::node::Node;
use crate::reference::spec::At;

/// Fields inside fields beyond this depth are on the page of their schema.
const DEPTH_MAX: usize = 6;

/// When a page has this many bytes, named schemas are no longer unfolded on it but linked to.
const UNFOLDED_BYTES_MAX: usize = 14_000;

/// Schemas without a name that are inside themselves end here at the latest.
const STEPS_MAX: usize = 4_000;

/// More fields of one object than this are counted.
const FIELDS_MAX: usize = 2_000;

/// More parts of a composition than this are counted.
const PARTS_MAX: usize = 60;

/// Writes the fields of schemas onto one page.
pub struct Fields<'a> {
    types: Types<'a>,
    /// Schemas that are being unfolded, innermost last.
    open: Vec<usize>,
    /// Named schemas that were unfolded on this page.
    unfolded: HashSet<usize>,
    /// Named schemas whose description and values were told on this page.
    told: HashSet<usize>,
    steps: usize,
}

/// The fields of an object, those of everything it is composed of included.
#[derive(Default)]
struct Members<'a> {
    fields: Vec<(&'a str, At<'a>)>,
    required: HashSet<&'a str>,
    /// Fields that are counted only.
    left_out: usize,
    /// Alternatives, in the schema they stand in: one of these, or any of them.
    choices: Vec<(&'static str, At<'a>, &'a [Node])>,
    /// What holds for names not told: the words for the name, and the schema.
    others: Vec<(String, At<'a>)>,
    /// References that lead nowhere.
    lost: Vec<&'a str>,
}

impl<'a> Fields<'a> {
    /// Begins a page.
    pub fn new(types: Types<'a>) -> Self {
        Self { types, open: Vec::new(), unfolded: HashSet::new(), told: HashSet::new(), steps: 0 }
    }

    /// Says that this page is about a schema: it is unfolded, however long the page is.
    pub fn whole(&mut self, sheet: &mut Sheet, schema: At<'a>) {
        self.unfolded.insert(schema.identity());
        self.inside(sheet, schema, 0);
    }

    /// Writes what is inside a schema, of which the type is told already.
    pub fn unfold(&mut self, sheet: &mut Sheet, schema: At<'a>, depth: usize) {
        let Ok(target) = self.types.api.resolve(schema) else { return };
        let target = self.unwrapped(target);
        if let Some(page) = self.types.shelf.schema_page(target) {
            // Short notes only: the label links to the page already.
            let may = sheet.length() < UNFOLDED_BYTES_MAX && depth < DEPTH_MAX;
            if self.open.contains(&target.identity()) {
                return note(sheet, depth, "(contains itself)");
            }
            if !has_inside(target.node) {
                return;
            }
            if self.unfolded.contains(&target.identity()) {
                return note(sheet, depth, "(fields as above)");
            }
            if !may {
                return note(sheet, depth, &format!("(its fields: {})", page.url));
            }
            self.unfolded.insert(target.identity());
        }
        self.inside(sheet, target, depth);
    }

    /// The one schema that another adds nothing to but words, as OpenAPI 3.0 has to.
    fn unwrapped(&self, schema: At<'a>) -> At<'a> {
        let [only] = schema.node.get("allOf").items() else { return schema };
        let adds = ["properties", "oneOf", "anyOf", "additionalProperties"];
        if adds.iter().any(|key| schema.node.find(key).is_some()) {
            return schema;
        }
        self.types.api.resolve(schema.with(only)).unwrap_or(schema)
    }

    fn inside(&mut self, sheet: &mut Sheet, schema: At<'a>, depth: usize) {
        self.steps += 1;
        let identity = schema.identity();
        if self.open.contains(&identity) {
            return note(sheet, depth, "(contains itself)");
        }
        if depth > DEPTH_MAX || self.steps > STEPS_MAX || sheet.is_full() {
            if has_inside(schema.node) {
                note(sheet, depth, "(more inside, not shown)");
            }
            return;
        }
        self.open.push(identity);
        let mut members = Members::default();
        self.collect(schema, &mut members, &mut Vec::new());
        self.write_members(sheet, members, depth);
        let items = schema.get("items");
        if items.node.is_map() {
            self.unfold(sheet, items, depth);
        }
        self.open.pop();
    }

    /// Gathers the fields of a schema and of all that `allOf` joins to it.
    fn collect(&mut self, schema: At<'a>, members: &mut Members<'a>, way: &mut Vec<usize>) {
        let target = match self.types.api.resolve(schema) {
            Ok(target) => target,
            Err(reference) => return members.lost.push(reference),
        };
        self.steps += 1;
        if way.contains(&target.identity()) || way.len() > DEPTH_MAX || self.steps > STEPS_MAX {
            return;
        }
        way.push(target.identity());
        let node = target.node;
        members.required.extend(node.get("required").items().iter().filter_map(Node::text));
        for (name, field) in node.get("properties").members() {
            if members.fields.len() >= FIELDS_MAX {
                members.left_out += 1;
                continue;
            }
            // The schema itself is read before what it is joined with, and says it better.
            members.fields.push((name, target.get("properties").with(field)));
        }
        for (pattern, field) in node.get("patternProperties").members() {
            let field = target.with(field);
            members.others.push((format!("names that match {}", code_span(pattern)), field));
        }
        let values = target.get("additionalProperties");
        let is_told = node.get("properties").is_empty() && !self.says_something(values);
        if values.node.is_map() && !values.node.is_empty() && !is_told {
            members.others.push(("any other name".to_owned(), values));
        }
        for (key, words) in [("oneOf", "One of these:"), ("anyOf", "Any of these:")] {
            let parts = node.get(key).items();
            let mut shown = parts.iter().take(PARTS_MAX);
            if shown.any(|part| self.says_something(target.with(part))) {
                members.choices.push((words, target, parts));
            }
        }
        for part in node.get("allOf").items().iter().take(PARTS_MAX) {
            self.collect(target.with(part), members, way);
        }
        way.pop();
    }

    /// Whether an alternative has more to it than its type, which the label tells.
    fn says_something(&self, part: At<'a>) -> bool {
        let Ok(target) = self.types.api.resolve(part) else { return true };
        let node = target.node;
        has_inside(node) || node.text_of("description").is_some() || !bounds(node).is_empty()
    }

    fn write_members(&mut self, sheet: &mut Sheet, members: Members<'a>, depth: usize) {
        let Members { fields, required, left_out, choices, others, lost } = members;
        // Of two fields of one name, the first is the more particular one.
        let mut seen = HashSet::new();
        for (name, field) in fields {
            if seen.insert(name) && !sheet.is_full() {
                let required = if required.contains(name) { ", required" } else { "" };
                self.write_field(sheet, &code_span(name), required, field, depth);
            }
        }
        for (words, field) in others {
            self.write_field(sheet, &words, "", field, depth);
        }
        if left_out > 0 {
            note(sheet, depth, &format!("(and {left_out} other fields)"));
        }
        for (words, around, parts) in choices {
            note(sheet, depth, words);
            for part in parts.iter().take(PARTS_MAX) {
                self.write_choice(sheet, around.with(part), depth + 1);
            }
            if parts.len() > PARTS_MAX {
                note(sheet, depth + 1, &format!("{} others", parts.len() - PARTS_MAX));
            }
        }
        for reference in lost {
            note(sheet, depth, &format!("({} leads nowhere)", code_span(reference)));
        }
    }

    fn write_field(
        &mut self,
        sheet: &mut Sheet,
        name: &str,
        required: &str,
        field: At<'a>,
        depth: usize,
    ) {
        let label = self.types.label(field);
        let said = self.said(field);
        let margin = "  ".repeat(depth);
        let head = format!("{margin}- {name} ({label}{required})");
        sheet.line(&joined(head, &said, 2 * depth + 2));
        self.unfold(sheet, field, depth + 1);
    }

    fn write_choice(&mut self, sheet: &mut Sheet, part: At<'a>, depth: usize) {
        let title = part.node.text_of("title").map(|title| format!(" *{title}*"));
        let head = format!(
            "{}- {}{}",
            "  ".repeat(depth),
            self.types.label(part),
            title.unwrap_or_default()
        );
        let said = self.said(part);
        let is_title = part.node.text_of("title") == Some(&said);
        sheet.line(&joined(head, if is_title { "" } else { &said }, 2 * depth + 2));
        self.unfold(sheet, part, depth + 1);
    }

    /// Description, bounds and example of a schema. What stands beside a reference counts before
    /// what it leads to (OpenAPI 3.1, Reference Object).
    pub fn said(&mut self, schema: At<'a>) -> String {
        let target = self.types.api.resolve(schema).unwrap_or(schema);
        let is_named = self.types.shelf.schema_page(target).is_some();
        if is_named && !self.told.insert(target.identity()) {
            // Its values and all else it says stand above, and the type links to it.
            let own = described(schema.node).or(described(target.node)).unwrap_or_default();
            return own.lines().next().unwrap_or_default().to_owned();
        }
        let description = described(schema.node).or_else(|| {
            // One part in `allOf` is how OpenAPI 3.0 adds a description to a reference.
            let only = target.node.get("allOf").items();
            let inner = only.first().filter(|_| only.len() == 1);
            described(target.node)
                .or_else(|| described(self.types.api.resolve(target.with(inner?)).ok()?.node))
        });
        let mut said = description.map(markdown::without_html).unwrap_or_default();
        let mut facts = bounds(target.node);
        let items = self.types.api.resolve(target.get("items")).unwrap_or(target.get("items"));
        if items.node.is_map() {
            facts.extend(bounds(items.node).into_iter().filter(|fact| fact.starts_with("One of")));
        }
        if let Some(example) = example(target.node) {
            facts.push(format!("Example: {}.", code_span(&example.brief())));
        }
        for fact in facts {
            said.truncate(said.trim_end().len());
            let is_sentence = said.ends_with(['.', '!', '?', ':', '*', '`']);
            said.push_str(match said.is_empty() {
                true => "",
                false if is_sentence => " ",
                false => ". ",
            });
            said.push_str(&fact);
        }
        said
    }
}

fn described(node: &Node) -> Option<&str> {
    node.text_of("description").or_else(|| node.text_of("title"))
}

/// An example of a plain value; those of objects are shown whole elsewhere.
fn example(node: &Node) -> Option<&Node> {
    let given = node.find("example").or_else(|| node.get("examples").items().first())?;
    (!given.is_map() && *given != Node::Null).then_some(given)
}

/// Whether a schema has fields or alternatives to unfold.
fn has_inside(node: &Node) -> bool {
    let keys = ["properties", "oneOf", "anyOf", "allOf", "items", "patternProperties"];
    keys.iter().any(|key| !node.get(key).is_empty()) || node.get("additionalProperties").is_map()
}

/// A list item and what it says, which goes on under it when it has several lines.
fn joined(head: String, said: &str, margin: usize) -> String {
    let said = said.trim();
    match said.split_once('\n') {
        None if said.is_empty() => head,
        None => format!("{head}: {said}"),
        Some((first, rest)) => format!("{head}: {first}\n{}", indented(rest, margin)),
    }
}

fn note(sheet: &mut Sheet, depth: usize, text: &str) {
    sheet.line(&format!("{}- {text}", "  ".repeat(depth)));
}
