//! The page of an operation or a webhook.

use std::collections::HashSet;

use super::example::{self, Direction};
use super::fields::Fields;
use super::label::Types;
use super::request;
use super::sheet::{Sheet, cell, code_span};
use crate::docs::markdown;
use crate::reference::node::Node;
use crate::reference::page::{Kind, OperationAt, Page};
use crate::reference::shelf::{Operation, Shelf};
use crate::reference::spec::{Api, At};

/// More parameters, headers, responses or callbacks than this are counted.
const ENTRIES_MAX: usize = 300;

/// The most media types of one body that are shown; one schema under several names is shown once.
const MEDIA_MAX: usize = 6;

/// What writing an operation needs.
struct Writing<'a> {
    api: &'a Api,
    types: Types<'a>,
    fields: Fields<'a>,
    operation: Operation<'a>,
    parameters: Vec<At<'a>>,
    kind: Kind,
    /// Schemas of which an example is on the page.
    exemplified: HashSet<(usize, Direction)>,
}

/// Writes it.
pub fn write<'a>(sheet: &mut Sheet, shelf: &'a Shelf, page: &'a Page, at: &'a OperationAt) {
    let Some(operation) = shelf.operation(page) else { return };
    let api = &shelf.apis[page.api];
    let types = Types { shelf, api };
    let parameters = parameters(api, operation);
    let mut writing = Writing {
        api,
        types,
        fields: Fields::new(types),
        operation,
        parameters,
        kind: page.kind,
        exemplified: HashSet::new(),
    };
    let node = operation.node.node;
    sheet.heading(1, node.text_of("summary").unwrap_or(&page.title));
    writing.head(sheet, page, at);
    if let Some(text) = node.text_of("description").or(operation.item.node.text_of("description")) {
        sheet.paragraph(&markdown::without_html(text));
    }
    let more = node.get("externalDocs");
    if let Some(url) = more.text_of("url") {
        let words = more.text_of("description").unwrap_or("More");
        sheet.paragraph(&format!("{}: <{}>", cell(words), cell(url)));
    }
    writing.authentication(sheet);
    writing.parameters(sheet);
    writing.request_body(sheet);
    if page.kind == Kind::Operation {
        sheet.heading(2, "Request example");
        let written = request::Request { api, operation, at, parameters: &writing.parameters };
        sheet.code("sh", &written.as_curl());
    }
    writing.responses(sheet);
    writing.callbacks(sheet);
}

/// The parameters of an operation: its own, and those of its path that it does not replace.
fn parameters<'a>(api: &'a Api, operation: Operation<'a>) -> Vec<At<'a>> {
    let mut found: Vec<At<'a>> = Vec::new();
    for around in [operation.node, operation.item] {
        for parameter in around.node.get("parameters").items().iter().take(ENTRIES_MAX) {
            let parameter = around.with(parameter);
            let parameter = api.resolve(parameter).unwrap_or(parameter);
            let is_same = |other: &At<'a>| {
                ["name", "in"].iter().all(|key| other.node.get(key) == parameter.node.get(key))
            };
            if parameter.node.is_map() && !found.iter().any(is_same) {
                found.push(parameter);
            }
        }
    }
    found
}

impl<'a> Writing<'a> {
    fn head(&self, sheet: &mut Sheet, page: &Page, at: &OperationAt) {
        let node = self.operation.node.node;
        let line = match page.kind {
            Kind::Webhook => format!("Webhook {}, sent by the API with ", code_span(&at.path)),
            _ => String::new(),
        };
        match page.kind {
            Kind::Webhook => sheet.line(&format!("{line}`{}`.", at.method.to_uppercase())),
            _ => sheet.line(&code_span(&at.line())),
        }
        let mut facts = Vec::new();
        if let Some(id) = node.text_of("operationId") {
            facts.push(format!("Operation {}", code_span(id)));
        }
        let info = self.operation.root.get("info").node;
        facts.push(format!("of {}", cell(info.text_of("title").unwrap_or(&self.api.name))));
        if node.says("deprecated") {
            facts.push("**deprecated**".to_owned());
        }
        sheet.paragraph(&format!("{}.", facts.join(", ")));
        let servers = request::servers(self.operation);
        if page.kind == Kind::Operation && !servers.is_empty() {
            let named = servers.iter().take(8).map(|url| code_span(url)).collect::<Vec<_>>();
            sheet.paragraph(&format!("Server: {}", named.join(", ")));
        }
    }

    fn authentication(&self, sheet: &mut Sheet) {
        let choices = request::security(self.operation);
        let Some(choices) = choices.filter(|choices| !choices.is_empty()) else { return };
        let schemes = self.operation.root.get("components").get("securitySchemes");
        let told = choices.iter().take(ENTRIES_MAX).map(|choice| {
            let needed = choice.members().map(|(name, scopes)| {
                let scheme = schemes.with(schemes.node.get(name));
                let scheme = self.api.resolve(scheme).unwrap_or(scheme).node;
                let scopes: Vec<String> =
                    scopes.items().iter().filter_map(Node::text).map(code_span).collect();
                let scopes = if scopes.is_empty() {
                    String::new()
                } else {
                    format!(" with {}", scopes.join(", "))
                };
                format!("{} ({}){scopes}", code_span(name), scheme_words(scheme))
            });
            let needed: Vec<String> = needed.collect();
            if needed.is_empty() { "none".to_owned() } else { needed.join(" and ") }
        });
        let told: Vec<String> = told.collect();
        sheet.paragraph(&format!("Authentication: {}.", told.join(", or ")));
    }

    fn parameters(&mut self, sheet: &mut Sheet) {
        if self.parameters.is_empty() {
            return;
        }
        sheet.heading(2, "Parameters");
        sheet.line("| name | in | type | required | description |");
        sheet.line("| --- | --- | --- | --- | --- |");
        let mut deep = Vec::new();
        for parameter in self.parameters.clone() {
            let node = parameter.node;
            let schema = value_schema(parameter);
            let required = if node.says("required") { "yes" } else { "no" };
            let mut said =
                node.text_of("description").map(markdown::without_html).unwrap_or_default();
            let facts = self.fields.said(schema);
            // Documents repeat a description in the schema.
            if !facts.trim().is_empty() && !said.contains(facts.trim()) {
                let known = schema.node.text_of("description").unwrap_or("\0");
                let facts = if said.is_empty() { facts } else { facts.replace(known, "") };
                said = format!("{said} {facts}");
            }
            if node.says("deprecated") {
                said = format!("**Deprecated.** {said}");
            }
            if let Some(value) = node.find("example").filter(|value| **value != Node::Null) {
                said = format!("{said} Example: {}.", code_span(&value.brief()));
            }
            if let Some(reference) = node.get("$ref").text() {
                let reference = code_span(reference).replace('|', "\\|");
                sheet.line(&format!("| {reference} leads nowhere | | | | |"));
                continue;
            }
            let name = node.text_of("name").unwrap_or("(unnamed)");
            sheet.line(&format!(
                "| {} | {} | {} | {required} | {} |",
                code_span(name).replace('|', "\\|"),
                cell(node.text_of("in").unwrap_or_default()),
                cell(&self.types.label(schema)),
                cell(&said)
            ));
            deep.push((name, schema));
        }
        for (name, schema) in deep {
            let mut inside = Sheet::default();
            self.fields.unfold(&mut inside, schema, 0);
            if inside.length() > 0 {
                sheet.paragraph(&format!("Fields of {}:", code_span(name)));
                sheet.gap();
                sheet.line(inside.finish().trim_end());
            }
        }
    }

    fn request_body(&mut self, sheet: &mut Sheet) {
        let body = self.operation.node.get("requestBody");
        let body = self.api.resolve(body).unwrap_or(body);
        if body.node.is_empty() {
            return;
        }
        let required = if body.node.says("required") { " (required)" } else { "" };
        sheet.heading(2, &format!("Request body{required}"));
        if let Some(text) = body.node.text_of("description") {
            sheet.paragraph(&markdown::without_html(text));
        }
        self.content(sheet, body, Direction::Request);
    }

    fn responses(&mut self, sheet: &mut Sheet) {
        sheet.heading(2, "Responses");
        let responses = self.operation.node.get("responses");
        if responses.node.is_empty() {
            sheet.line("The document does not describe any response.");
        }
        for (status, response) in responses.node.members().take(ENTRIES_MAX) {
            if status.starts_with("x-") || sheet.is_full() {
                continue;
            }
            sheet.heading(3, status);
            let response = match self.api.resolve(responses.with(response)) {
                Ok(response) => response,
                Err(reference) => {
                    sheet.line(&format!("{} leads nowhere.", code_span(reference)));
                    continue;
                }
            };
            let text = response.node.text_of("description").map(markdown::without_html);
            let has_content = !response.node.get("content").is_empty();
            let silence = if has_content { "" } else { "No body is described." };
            sheet.paragraph(text.as_deref().unwrap_or(silence));
            self.headers(sheet, response);
            self.content(sheet, response, Direction::Response);
        }
    }

    fn headers(&self, sheet: &mut Sheet, response: At<'a>) {
        let headers = response.get("headers");
        if headers.node.is_empty() {
            return;
        }
        sheet.paragraph("Headers:");
        sheet.gap();
        for (name, header) in headers.node.members().take(ENTRIES_MAX) {
            let header = headers.with(header);
            let header = self.api.resolve(header).unwrap_or(header);
            let label = self.types.label(value_schema(header));
            let said = header.node.text_of("description").map(cell).unwrap_or_default();
            let gap = if said.is_empty() { "" } else { ": " };
            sheet.line(&format!("- {} ({label}){gap}{said}", code_span(name)));
        }
    }

    /// The media types of a body: what is in it, and what it looks like. Those that say the same
    /// are shown together.
    fn content(&mut self, sheet: &mut Sheet, body: At<'a>, direction: Direction) {
        let content = body.get("content");
        let mut shown: Vec<(Vec<&str>, At<'a>)> = Vec::new();
        for (name, media) in content.node.members().take(ENTRIES_MAX) {
            let media = content.with(media);
            let media = self.api.resolve(media).unwrap_or(media);
            match shown.iter_mut().find(|(_, other)| other.node == media.node) {
                Some((names, _)) => names.push(name),
                None => shown.push((vec![name], media)),
            }
        }
        let others = shown.len().saturating_sub(MEDIA_MAX);
        for (names, media) in shown.into_iter().take(MEDIA_MAX) {
            self.media(sheet, &names, media);
            // What is sent is shown whole in the command below.
            let command = request::sent(content.node).map(|(name, _)| name);
            let is_command = direction == Direction::Request
                && self.kind == Kind::Operation
                && command.is_some_and(|name| names.contains(&name));
            let skipped = usize::from(is_command);
            for (title, value) in self.examples(media, direction).into_iter().skip(skipped) {
                let gap = if title.is_empty() { "" } else { ": " };
                sheet.paragraph(&format!("Example{gap}{}", cell(&title)));
                match &value {
                    Node::Text(text) if !names[0].contains("json") => sheet.code("", text),
                    _ => sheet.code("json", &value.pretty()),
                }
            }
        }
        if others > 0 {
            sheet.paragraph(&format!("And {others} other media types."));
        }
    }

    fn media(&mut self, sheet: &mut Sheet, names: &[&str], media: At<'a>) {
        let schema = media.get("schema");
        let label = if schema.node.is_empty() {
            "no schema is given".to_owned()
        } else {
            self.types.label(schema)
        };
        let said = self.fields.said(schema);
        let said = if said.is_empty() { "." } else { &format!(". {said}") };
        let names: Vec<String> = names.iter().map(|name| code_span(name)).collect();
        sheet.paragraph(&format!("{}: {label}{said}", names.join(", ")));
        let mut inside = Sheet::default();
        self.fields.unfold(&mut inside, schema, 0);
        if inside.length() > 0 {
            sheet.gap();
            sheet.line(inside.finish().trim_end());
        }
    }

    /// The examples of a media type. One that is made of a schema is made once for a page.
    fn examples(&mut self, media: At<'a>, direction: Direction) -> Vec<(String, Node)> {
        let is_given = media.node.find("example").or(media.node.find("examples")).is_some();
        if !is_given {
            let schema = media.get("schema");
            let schema = self.api.resolve(schema).unwrap_or(schema);
            if !self.exemplified.insert((schema.identity(), direction)) {
                return Vec::new();
            }
        }
        example::of_media(self.api, media, direction)
    }

    fn callbacks(&self, sheet: &mut Sheet) {
        let callbacks = self.operation.node.get("callbacks");
        if callbacks.node.is_empty() {
            return;
        }
        sheet.heading(2, "Callbacks");
        for (name, callback) in callbacks.node.members().take(ENTRIES_MAX) {
            let callback = callbacks.with(callback);
            let callback = self.api.resolve(callback).unwrap_or(callback);
            for (expression, item) in callback.node.members().take(ENTRIES_MAX) {
                for (method, operation) in item.members().filter(|(_, it)| it.is_map()) {
                    let about = ["summary", "description"];
                    let about = about.iter().find_map(|key| operation.text_of(key));
                    sheet.line(&format!(
                        "- {}: `{}` {} {}",
                        code_span(name),
                        cell(&method.to_uppercase()),
                        code_span(expression),
                        cell(about.unwrap_or_default())
                    ));
                }
            }
        }
    }
}

/// The schema of a parameter or header, which may lie in a media type.
pub fn value_schema(parameter: At<'_>) -> At<'_> {
    let schema = parameter.get("schema");
    if !schema.node.is_empty() {
        return schema;
    }
    let content = parameter.get("content");
    let first = content.node.members().next().map(|(_, media)| content.with(media).get("schema"));
    first.unwrap_or(schema)
}

/// How a security scheme proves who calls, in words.
pub fn scheme_words(scheme: &Node) -> String {
    let word = |key| scheme.text_of(key).map(cell).unwrap_or_default();
    match scheme.get("type").text() {
        Some("http") => format!("HTTP {}", word("scheme")),
        Some("apiKey") => format!("API key in {} {}", word("in"), code_span(&word("name"))),
        Some("oauth2") => {
            let flows = scheme.get("flows").members().map(|(name, _)| cell(name));
            format!("OAuth 2.0, {}", flows.collect::<Vec<_>>().join(", "))
        }
        Some("openIdConnect") => format!("OpenID Connect, {}", word("openIdConnectUrl")),
        Some("mutualTLS") => "client certificate".to_owned(),
        Some(other) => cell(other),
        None => "not described".to_owned(),
    }
}
