//! An attempt to sign in: what became of it, why, what to do, and its steps.

use maud::html;

use crate::page::admin::{Shell, Table, page, rows};

/// The page of an attempt.
#[derive(Clone, Debug)]
pub struct AttemptContext<'a> {
    /// What every page of the dashboard shows.
    pub shell: Shell<'a>,
    /// What became of it.
    pub told: &'a str,
    /// What to do.
    pub advice: Option<&'a str>,
    /// What is known of it, by name.
    pub facts: Vec<(&'a str, String)>,
    /// Where the person and the grants of the program are, each with its text.
    pub links: Vec<(String, &'a str)>,
    /// Its steps.
    pub steps: Table<'a>,
}

/// Renders the page.
pub fn render_attempt(context: &AttemptContext<'_>) -> String {
    let body = html! {
        p { strong { (context.told) } }
        @if let Some(advice) = context.advice { p { (advice) } }
        dl {
            @for (name, value) in &context.facts { div { dt { (name) } dd { (value) } } }
        }
        @for (href, text) in &context.links { p { a href=(href) { (text) } } }
        h2 { (context.steps.title) }
        (rows(&context.shell, &context.steps))
    };
    page(&context.shell, "Sign-in attempt", &body)
}
