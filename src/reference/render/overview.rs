//! The pages that lead to others: an API, a document, a group.

use super::operation::scheme_words;
use super::sheet::{Sheet, cell, code_span, indented};
use crate::docs::markdown;
use crate::reference::page::{Kind, Page, Subject};
use crate::reference::shelf::Shelf;

/// Writes the page of an API.
pub fn api(sheet: &mut Sheet, shelf: &Shelf, page: &Page) {
    let api = &shelf.apis[page.api];
    match api.documents.iter().position(|document| document.label.is_empty()) {
        Some(main) => document(sheet, shelf, page, main),
        None => {
            sheet.heading(1, &page.title);
            sheet.line(&format!("An API of {} documents.", api.documents.len()));
            children(sheet, shelf, page);
        }
    }
}

/// Writes the page of a document, which may be all of an API.
pub fn document(sheet: &mut Sheet, shelf: &Shelf, page: &Page, document: usize) {
    let api = &shelf.apis[page.api];
    let root = api.root(document);
    let info = root.get("info").node;
    sheet.heading(1, &page.title);
    let mut facts = vec![format!("The API {}", code_span(&api.name))];
    if let Some(version) = info.find("version") {
        facts.push(format!("version {}", cell(&version.brief())));
    }
    let version = cell(&api.documents[document].version);
    let language = if version.starts_with('2') { "Swagger" } else { "OpenAPI" };
    sheet.line(&format!("{}, described in {language} {version}.", facts.join(", ")));
    for key in ["summary", "description"] {
        if let Some(text) = info.text_of(key) {
            sheet.paragraph(&markdown::without_html(text));
        }
    }
    for (key, words) in [("license", "Licence"), ("contact", "Contact")] {
        let about = info.get(key);
        let parts = ["name", "identifier", "email", "url"].iter();
        let parts: Vec<String> = parts.filter_map(|key| about.text_of(key)).map(cell).collect();
        if !parts.is_empty() {
            sheet.paragraph(&format!("{words}: {}", parts.join(", ")));
        }
    }
    servers(sheet, shelf, page, document);
    authentication(sheet, shelf, page, document);
    children(sheet, shelf, page);
}

fn servers(sheet: &mut Sheet, shelf: &Shelf, page: &Page, document: usize) {
    let root = shelf.apis[page.api].root(document);
    let servers = root.get("servers").node.items();
    if servers.is_empty() {
        return;
    }
    sheet.heading(2, "Servers");
    for server in servers.iter().take(50) {
        let said = server.text_of("description").map(cell).unwrap_or_default();
        let gap = if said.is_empty() { "" } else { ": " };
        sheet.line(&format!(
            "- {}{gap}{said}",
            code_span(server.text_of("url").unwrap_or_default())
        ));
        for (name, variable) in server.get("variables").members().take(50) {
            let said = variable.text_of("description").map(cell).unwrap_or_default();
            let default = variable.get("default").brief();
            sheet.line(&format!(
                "  - {}, by default {}. {said}",
                code_span(&format!("{{{name}}}")),
                code_span(&default)
            ));
        }
    }
}

fn authentication(sheet: &mut Sheet, shelf: &Shelf, page: &Page, document: usize) {
    let api = &shelf.apis[page.api];
    let schemes = api.root(document).get("components").get("securitySchemes");
    if schemes.node.is_empty() {
        return;
    }
    sheet.heading(2, "Authentication");
    for (name, scheme) in schemes.node.members().take(50) {
        let scheme = schemes.with(scheme);
        let scheme = api.resolve(scheme).unwrap_or(scheme).node;
        sheet.line(&format!("- {}: {}", code_span(name), scheme_words(scheme)));
        if let Some(text) = scheme.text_of("description") {
            sheet.line(&indented(&markdown::without_html(text), 2));
        }
        for (flow, about) in scheme.get("flows").members().take(8) {
            for key in ["authorizationUrl", "tokenUrl"] {
                if let Some(url) = about.text_of(key) {
                    sheet.line(&format!("  - {} {key}: <{}>", cell(flow), cell(url)));
                }
            }
            for (scope, said) in about.get("scopes").members().take(200) {
                let said = said.text().map(cell).unwrap_or_default();
                sheet.line(&format!("  - scope {}: {said}", code_span(scope)));
            }
        }
    }
}

/// Writes the page of a group.
pub fn group(sheet: &mut Sheet, shelf: &Shelf, page: &Page, document: usize, text: &str) {
    let api = &shelf.apis[page.api];
    let info = api.root(document).get("info").node;
    sheet.heading(1, &page.title);
    sheet.line(&format!("A group of {}.", cell(info.text_of("title").unwrap_or(&api.name))));
    sheet.paragraph(&markdown::without_html(text));
    if page.children.is_empty() {
        sheet.paragraph("There is nothing in it.");
    }
    children(sheet, shelf, page);
}

/// Writes what is below a page, one kind after the other.
fn children(sheet: &mut Sheet, shelf: &Shelf, page: &Page) {
    let kinds = [
        (Kind::Topic, "Topics"),
        (Kind::Api, "Other documents"),
        (Kind::Group, "Groups"),
        (Kind::Operation, "Operations"),
        (Kind::Webhook, "Webhooks"),
        (Kind::Schema, "Schemas"),
    ];
    for (kind, heading) in kinds {
        let mut below =
            page.children.iter().map(|child| &shelf.pages[*child]).filter(|it| it.kind == kind);
        let Some(first) = below.next() else { continue };
        sheet.heading(2, heading);
        for child in std::iter::once(first).chain(below) {
            let count = match child.subject {
                Subject::Group { .. } if child.children.len() == 1 => " (1 page)".to_owned(),
                Subject::Group { .. } => format!(" ({} pages)", child.children.len()),
                _ => String::new(),
            };
            let gap = if child.description.is_empty() { "" } else { ": " };
            sheet.line(&format!(
                "- {}{count} <{}>{gap}{}",
                cell(&child.title),
                child.url,
                child.description
            ));
        }
    }
}
