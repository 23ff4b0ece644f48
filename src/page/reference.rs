//! The API of this server for people to browse: every endpoint and every type of `openapi.yaml`,
//! folded, so that all names fit on a few screens and a browser opens and searches them without a
//! script.

use maud::{Markup, html};

use crate::page::{Frame, document};

/// What the visitor is told.
#[derive(Clone, Copy, Debug)]
pub struct ReferenceContext<'a> {
    /// What every page shows.
    pub frame: Frame<'a>,
    /// The document.
    pub reference: &'a ReferenceShown,
    /// Where the document itself is: as YAML, as JSON.
    pub sources: &'a [String],
}

/// An OpenAPI document, as far as it is shown.
#[derive(Clone, Debug, Default)]
pub struct ReferenceShown {
    /// What it describes.
    pub title: String,
    /// Of which version.
    pub version: String,
    /// In a few sentences.
    pub description: String,
    /// Every method of every path, in the order of the document.
    pub operations: Vec<OperationShown>,
    /// What is sent and answered.
    pub types: Vec<TypeShown>,
}

/// One method of one path.
#[derive(Clone, Debug, Default)]
pub struct OperationShown {
    /// Its name in the document.
    pub id: String,
    /// In capitals.
    pub method: String,
    /// As it is served.
    pub path: String,
    /// In a few words.
    pub summary: String,
    /// In sentences; may be empty.
    pub description: String,
    /// Whether it stands for another one.
    pub is_other_spelling: bool,
    /// What it takes in the query and in headers.
    pub parameters: Vec<FieldShown>,
    /// What it takes as a body, each form of it.
    pub bodies: Vec<MediaShown>,
    /// What it answers.
    pub responses: Vec<ResponseShown>,
}

/// A parameter, header or member.
#[derive(Clone, Debug, Default)]
pub struct FieldShown {
    /// What it is called.
    pub name: String,
    /// What it holds.
    pub kind: KindShown,
    /// Whether it must be there.
    pub is_required: bool,
    /// In sentences; may be empty.
    pub description: String,
}

/// What a field or body holds: words, and a type that is told below.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KindShown {
    /// For instance "list of ".
    pub words: String,
    /// The name of the type.
    pub of: Option<String>,
}

/// A body of one media type.
#[derive(Clone, Debug, Default)]
pub struct MediaShown {
    /// For instance `application/json`.
    pub media_type: String,
    /// What it holds.
    pub kind: KindShown,
}

/// What a status means.
#[derive(Clone, Debug, Default)]
pub struct ResponseShown {
    /// Its number.
    pub status: String,
    /// In a sentence.
    pub description: String,
    /// Each form of its body.
    pub bodies: Vec<MediaShown>,
    /// Its own headers.
    pub headers: Vec<FieldShown>,
}

/// A type of the document.
#[derive(Clone, Debug, Default)]
pub struct TypeShown {
    /// What it is called.
    pub name: String,
    /// In a sentence.
    pub description: String,
    /// Its members.
    pub fields: Vec<FieldShown>,
    /// The words it can be, if it is one of a few.
    pub words: Vec<String>,
}

/// Renders the page.
pub fn render(context: &ReferenceContext<'_>) -> String {
    let ReferenceShown { title, version, description, operations, types } = context.reference;
    let (others, ours): (Vec<_>, Vec<_>) = operations.iter().partition(|it| it.is_other_spelling);
    let body = html! {
        h1 { "API reference" }
        (prose(description))
        p.quiet {
            (title) " " (version) "; the whole document: "
            @for (place, source) in context.sources.iter().enumerate() {
                @if place > 0 { ", " }
                a href=(source) { code { (source) } }
            }
        }
        h2 { "Endpoints" }
        @for operation in ours { (told_operation(operation)) }
        @if !others.is_empty() {
            h2 { "Other spellings" }
            @for operation in others { (told_operation(operation)) }
        }
        h2 { "Types" }
        @for shown in types { (told_type(shown)) }
    };
    document(&context.frame, "API reference", &body)
}

/// What links lead to stands inside of what is folded, so that a browser unfolds it.
fn told_operation(operation: &OperationShown) -> Markup {
    html! {
        details {
            summary { code { (operation.method) " " (operation.path) } }
            div id={ "operation-" (operation.id) } {
                p { (operation.summary) }
                (prose(&operation.description))
                @if !operation.parameters.is_empty() {
                    h3 { "Parameters" }
                    (fields(&operation.parameters))
                }
                @if !operation.bodies.is_empty() {
                    h3 { "Body" }
                    ul { @for body in &operation.bodies { li { (media(body)) } } }
                }
                h3 { "Answers" }
                dl { @for response in &operation.responses { (answer(response)) } }
            }
        }
    }
}

fn answer(response: &ResponseShown) -> Markup {
    html! {
        div {
            dt { code { (response.status) } }
            dd {
                (inline(&response.description))
                @for body in &response.bodies { span.whole { (media(body)) } }
                @for header in &response.headers {
                    span.whole {
                        "Header " code { (header.name) } ": " (inline(&header.description))
                    }
                }
            }
        }
    }
}

fn told_type(shown: &TypeShown) -> Markup {
    html! {
        details {
            summary { code { (shown.name) } }
            div id={ "type-" (shown.name) } {
                (prose(&shown.description))
                @if !shown.words.is_empty() {
                    p { "One of: "
                        @for (place, word) in shown.words.iter().enumerate() {
                            @if place > 0 { ", " }
                            code { (word) }
                        }
                    }
                }
                @if !shown.fields.is_empty() { (fields(&shown.fields)) }
            }
        }
    }
}

fn fields(fields: &[FieldShown]) -> Markup {
    html! {
        dl {
            @for field in fields {
                div {
                    dt { code { (field.name) } }
                    dd {
                        (kind(&field.kind))
                        @if field.is_required { ", required" }
                        @if !field.description.is_empty() {
                            span.whole { (inline(&field.description)) }
                        }
                    }
                }
            }
        }
    }
}

fn media(media: &MediaShown) -> Markup {
    html! { code { (media.media_type) } ": " (kind(&media.kind)) }
}

fn kind(kind: &KindShown) -> Markup {
    html! {
        (kind.words)
        @if let Some(name) = &kind.of { a href={ "#type-" (name) } { code { (name) } } }
    }
}

/// Paragraphs, as the document parts them.
fn prose(text: &str) -> Markup {
    let paragraphs = text.split("\n\n").map(str::trim).filter(|text| !text.is_empty());
    html! { @for paragraph in paragraphs { p { (inline(paragraph)) } } }
}

/// Text in which what stands between backticks is code.
fn inline(text: &str) -> Markup {
    html! {
        @for (place, part) in text.split('`').enumerate() {
            @if place % 2 == 1 { code { (part) } } @else { (part) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::page::brand::{Brand, Chosen};

    #[test]
    fn what_a_document_says_is_text_and_never_markup() {
        let hostile = "<script>alert(1)</script> `<b>` \"'";
        let field = FieldShown {
            name: hostile.into(),
            kind: KindShown { words: hostile.into(), of: Some(hostile.into()) },
            is_required: true,
            description: hostile.into(),
        };
        let body = MediaShown { media_type: hostile.into(), kind: field.kind.clone() };
        let response = ResponseShown {
            status: hostile.into(),
            description: hostile.into(),
            bodies: vec![body.clone()],
            headers: vec![field.clone()],
        };
        let reference = ReferenceShown {
            title: hostile.into(),
            version: hostile.into(),
            description: hostile.into(),
            operations: vec![OperationShown {
                id: hostile.into(),
                method: hostile.into(),
                path: hostile.into(),
                summary: hostile.into(),
                description: hostile.into(),
                is_other_spelling: false,
                parameters: vec![field.clone()],
                bodies: vec![body],
                responses: vec![response],
            }],
            types: vec![TypeShown {
                name: hostile.into(),
                description: hostile.into(),
                fields: vec![field],
                words: vec![hostile.into()],
            }],
        };
        let brand = Brand::new(Chosen::default());
        let frame = Frame { product: "Example", brand: &brand };
        let sources = [hostile.to_owned()];
        let page = render(&ReferenceContext { frame, reference: &reference, sources: &sources });
        assert!(!page.contains("<script") && !page.contains("<b>"), "{page}");
        assert!(page.contains("<code>&lt;b&gt;</code>"), "{page}");
        assert!(!page.contains("\"'"), "{page}");
    }
}
