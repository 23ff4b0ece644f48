//! The login form of the built-in development provider.

use maud::html;

use crate::page::{Frame, document};

/// What the form carries along, field by field.
#[derive(Clone, Debug)]
pub struct DevLoginContext<'a> {
    /// What every page shows.
    pub frame: Frame<'a>,
    /// Where it is sent.
    pub action: &'a str,
    /// Hidden fields.
    pub carried: Vec<(&'a str, &'a str)>,
    /// What was wrong with the last try.
    pub complaint: Option<&'a str>,
}

/// Renders the page.
pub fn render(context: &DevLoginContext<'_>) -> String {
    let body = html! {
        h1 { "Development sign-in" }
        p.note {
            "This is the built-in identity provider for a first run. It believes whatever you type "
            "and works on this computer only."
        }
        @if let Some(complaint) = context.complaint { p role="alert" { (complaint) } }
        form method="post" action=(context.action) {
            @for (name, value) in &context.carried {
                input type="hidden" name=(name) value=(value);
            }
            label for="email" { "E-mail address" }
            input id="email" name="email" type="email" required autocomplete="email"
                value="alice@example.com";
            label for="name" { "Name (optional)" }
            input id="name" name="name" autocomplete="name";
            label for="organization" { "Organization (optional)" }
            input id="organization" name="organization" autocomplete="organization";
            div.actions { button type="submit" { "Sign in" } }
        }
    };
    document(&context.frame, "Development sign-in", &body)
}
