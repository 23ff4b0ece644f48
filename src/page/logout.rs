//! Signing out: the question, and what is shown afterwards.

use maud::html;

use crate::page::{Frame, document};

/// What the person is asked.
#[derive(Clone, Debug)]
pub struct LogoutContext<'a> {
    /// What every page shows.
    pub frame: Frame<'a>,
    /// Where the form goes.
    pub action: &'a str,
    /// Ties the form to the session.
    pub form: &'a str,
    /// Where to afterwards.
    pub return_to: Option<&'a str>,
    /// The account page.
    pub account: &'a str,
}

/// Renders the question.
pub fn render(context: &LogoutContext<'_>) -> String {
    let body = html! {
        h1 { "Sign out of this browser?" }
        p {
            "You are signed out here and at the provider you signed in with. Programs that you "
            "connected stay connected; "
            a href=(context.account) { "your account page" }
            " ends those."
        }
        form method="post" action=(context.action) {
            input type="hidden" name="form" value=(context.form);
            @if let Some(return_to) = context.return_to {
                input type="hidden" name="return_to" value=(return_to);
            }
            div.actions { button type="submit" { "Sign out" } }
        }
    };
    document(&context.frame, "Sign out", &body)
}

/// What is shown when nobody is signed in.
#[derive(Clone, Debug)]
pub struct SignedOutContext<'a> {
    /// What every page shows.
    pub frame: Frame<'a>,
    /// A listed site to go back to.
    pub return_to: Option<&'a str>,
}

/// Renders the page afterwards.
pub fn render_signed_out(context: &SignedOutContext<'_>) -> String {
    let body = html! {
        h1 { "You are signed out" }
        p { "Nobody is signed in here with this browser." }
        @if let Some(href) = context.return_to {
            div.actions { a.button href=(href) rel="noopener noreferrer" { "Go back" } }
        }
    };
    document(&context.frame, "Signed out", &body)
}
