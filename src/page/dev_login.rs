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
    /// What the fields say; the form comes back as it was sent.
    pub email: &'a str,
    /// The same.
    pub name: &'a str,
    /// The same.
    pub organization: &'a str,
}

/// Renders the page.
pub fn render(context: &DevLoginContext<'_>) -> String {
    let body = html! {
        h1 { "Development sign-in" }
        p.note {
            "This is the built-in identity provider for a first run. It believes whatever you type "
            "and works on this computer only."
        }
        form method="post" action=(context.action) {
            @for (name, value) in &context.carried {
                input type="hidden" name=(name) value=(value);
            }
            label for="email" { "E-mail address" }
            input id="email" name="email" type="email" required autocomplete="email"
                value=(context.email)
                aria-invalid=[context.complaint.map(|_| "true")]
                aria-describedby=[context.complaint.map(|_| "complaint")];
            @if let Some(complaint) = context.complaint {
                p.note id="complaint" role="alert" { (complaint) }
            }
            label for="name" { "Name (optional)" }
            input id="name" name="name" autocomplete="name" value=(context.name);
            label for="organization" { "Organization (optional)" }
            input id="organization" name="organization" autocomplete="organization"
                value=(context.organization);
            div.actions { button type="submit" { "Sign in" } }
        }
    };
    document(&context.frame, "Development sign-in", &body)
}
