//! Pages as Markdown, made when they are asked for.

mod example;
mod fields;
mod label;
mod operation;
mod overview;
mod request;
pub mod sheet;

use super::node::Node;
use super::page::{Page, Subject};
use super::shelf::Shelf;
use crate::docs::markdown;
use example::Direction;
use fields::Fields;
use label::{Types, bounds};
use sheet::{Sheet, code_span};

/// A page as Markdown, whole. It is never empty, and never longer than
/// [`sheet::SHEET_BYTES_MAX`] and a note.
pub fn page(shelf: &Shelf, page: &Page) -> String {
    let mut sheet = Sheet::default();
    match &page.subject {
        Subject::Topic(number) => {
            let api = &shelf.apis[page.api];
            sheet.paragraph(&api.topics[*number].prose.markdown);
        }
        Subject::Api => overview::api(&mut sheet, shelf, page),
        Subject::Document(document) => overview::document(&mut sheet, shelf, page, *document),
        Subject::Group { document, text } => {
            overview::group(&mut sheet, shelf, page, *document, text);
        }
        Subject::Operation(at) | Subject::Webhook(at) => {
            operation::write(&mut sheet, shelf, page, at);
        }
        Subject::Schema { document, name } => schema(&mut sheet, shelf, page, *document, name),
    }
    if sheet.length() == 0 {
        sheet.heading(1, &page.title);
    }
    sheet.finish()
}

fn schema(sheet: &mut Sheet, shelf: &Shelf, page: &Page, document: usize, name: &str) {
    let Some(at) = shelf.schema(page) else { return };
    let api = &shelf.apis[page.api];
    let types = Types { shelf, api };
    sheet.heading(1, name);
    let info = api.root(document).get("info").node;
    let of = info.text_of("title").unwrap_or(&api.name);
    sheet.line(&format!("A schema of {}. Type: {}.", sheet::cell(of), types.label(at)));
    let target = api.resolve(at).unwrap_or(at);
    let said = |key| at.node.text_of(key).or(target.node.text_of(key)).unwrap_or_default();
    // Generators make the title of the name and repeat it in the description.
    if !name.ends_with(said("title")) && !said("description").starts_with(said("title")) {
        sheet.paragraph(&markdown::without_html(said("title")));
    }
    sheet.paragraph(&markdown::without_html(said("description")));
    let facts = bounds(target.node);
    sheet.paragraph(&facts.join(" "));
    let values = target.node.get("enum").items();
    if values.len() > label::VALUES_MAX {
        sheet.heading(2, "All values");
        for value in values {
            sheet.line(&format!("- {}", code_span(&value.brief())));
        }
    }
    let mut inside = Sheet::default();
    Fields::new(types).whole(&mut inside, target);
    if inside.length() > 0 {
        sheet.heading(2, "Fields");
        sheet.line(inside.finish().trim_end());
    } else if types.label(target) == "object" {
        sheet.paragraph("It has no fields.");
    }
    let made = example::of_schema(api, at, Direction::Response);
    if !made.is_empty() {
        sheet.heading(2, "Example");
        sheet.code("json", &made.pretty());
    }
}

/// The words a page can be found by beyond its title and description: what its parameters, fields
/// and values are called and said to be.
pub fn words(shelf: &Shelf, page: &Page, bytes_max: usize) -> String {
    let mut words = String::new();
    let api = &shelf.apis[page.api];
    let mut waiting: Vec<&Node> = match &page.subject {
        Subject::Topic(number) => {
            let text = markdown::plain_text(&api.topics[*number].prose.markdown);
            return crate::text::cut::head(&text, bytes_max).to_owned();
        }
        Subject::Api | Subject::Document(_) => return words,
        Subject::Group { text, .. } => return markdown::plain_text(text),
        Subject::Operation(_) | Subject::Webhook(_) => {
            let Some(operation) = shelf.operation(page) else { return words };
            vec![operation.item.node.get("parameters"), operation.node.node]
        }
        Subject::Schema { .. } => shelf.schema(page).map(|at| at.node).into_iter().collect(),
    };
    // Outer values come before inner ones, which is what matters when the end is cut off.
    let mut next = Vec::new();
    while !waiting.is_empty() {
        for node in waiting.drain(..) {
            if words.len() >= bytes_max {
                return words;
            }
            for (name, member) in node.members() {
                add_words(&mut words, name, member);
                next.push(member);
            }
            next.extend(node.items());
        }
        std::mem::swap(&mut waiting, &mut next);
    }
    words
}

/// Adds what a member says: its name if the author chose it, its text if it is one to read.
fn add_words(words: &mut String, name: &str, member: &Node) {
    let mut add = |text: &str| {
        words.push_str(text);
        words.push('\n');
    };
    match (name, member) {
        ("$ref", Node::Text(text)) => add(text.rsplit('/').next().unwrap_or_default()),
        ("description" | "summary" | "title" | "name" | "operationId", Node::Text(text)) => {
            let text = crate::text::cut::head(text, 4_000);
            if text.contains(['[', '<', '`', '*', '|']) {
                add(&markdown::plain_text(text));
            } else {
                add(text);
            }
        }
        ("enum", Node::List(values)) => {
            for value in values.iter().filter_map(Node::text).take(100) {
                add(value);
            }
        }
        ("properties" | "responses", fields @ Node::Map(_)) => {
            for (name, _) in fields.members().take(500) {
                add(name);
            }
        }
        _ => {}
    }
}
