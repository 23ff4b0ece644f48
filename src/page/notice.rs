//! One notice: what happened, what to do about it, and a reference to ask with.

use maud::html;

use crate::page::{Frame, Link, document};

/// What the person is told.
#[derive(Clone, Debug)]
pub struct NoticeContext<'a> {
    /// What every page shows.
    pub frame: Frame<'a>,
    /// In a few words.
    pub title: &'a str,
    /// In plain words; never what a request said.
    pub message: &'a str,
    /// What to do.
    pub advice: &'a str,
    /// The one way on, labelled.
    pub link: Option<Link<'a>>,
    /// Appears in the log.
    pub reference: Option<&'a str>,
}

/// Renders the page.
pub fn render(context: &NoticeContext<'_>) -> String {
    let body = html! {
        h1 { (context.title) }
        p { (context.message) }
        p { (context.advice) }
        @if let Some(link) = &context.link {
            div.actions {
                a.button href=(link.href) rel="noopener noreferrer" { (link.text) }
            }
        }
        @if let Some(reference) = context.reference {
            p.quiet { "Reference: " code { (reference) } }
        }
    };
    document(&context.frame, context.title, &body)
}
