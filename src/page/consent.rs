//! The consent page: who asks, for what, and where the answer goes.

use maud::{Markup, html};

use crate::domain::redirect_uri::Target;
use crate::domain::scope::Scope;
use crate::page::kept::{self, KeptContext};
use crate::page::{Frame, Link, document, outward};

/// What the person is shown before they decide.
#[derive(Clone, Debug)]
pub struct ConsentContext<'a> {
    /// What every page shows.
    pub frame: Frame<'a>,
    /// What the client calls itself; nobody has checked it.
    pub client_name: Option<&'a str>,
    /// The host that vouches for it, when it published a document about itself.
    pub publisher: Option<&'a str>,
    /// The exact redirect URI.
    pub redirect_uri: &'a str,
    /// Its scheme and host.
    pub redirect_origin: &'a str,
    /// What kind of place it is.
    pub redirect_target: Target,
    /// Whose name the client bears without anything that speaks for it.
    pub borrowed_name: Option<&'a str>,
    /// What is asked for.
    pub scopes: Vec<Scope>,
    /// The MCP endpoint.
    pub resource: &'a str,
    /// What is kept of the person.
    pub kept: KeptContext<'a>,
    /// For people without an account.
    pub signup_url: Option<&'a str>,
    /// The privacy policy.
    pub privacy_url: Option<&'a str>,
    /// The request, sealed, as the form carries it back.
    pub sealed_request: &'a str,
}

/// Renders the page.
pub fn render(context: &ConsentContext<'_>) -> String {
    let name = context.client_name.unwrap_or("A program without a name");
    let body = html! {
        h1 { "Allow “" (name) "” to use the " (context.frame.product) " documentation?" }
        @if let Some(vendor) = context.borrowed_name {
            (borrowed_note(vendor, context.redirect_origin))
        }
        (destination_note(context.redirect_target))
        dl {
            div {
                dt { "It calls itself" }
                dd { (name) " " span.quiet { "(its own claim)" } }
            }
            div {
                dt { "Publisher" }
                dd {
                    @match context.publisher {
                        Some(publisher) => {
                            strong { (publisher) }
                            " " span.quiet { "(verified: its description was read there)" }
                        }
                        None => "not verified: any program can register under any name",
                    }
                }
            }
            div {
                dt { "Your approval is sent to" }
                dd {
                    strong { (context.redirect_origin) }
                    code.whole { (context.redirect_uri) }
                }
            }
            div {
                dt { "For" }
                dd { code { (context.resource) } }
            }
        }
        h2 { "It will be able to" }
        ul { @for scope in &context.scopes { li { (in_words(*scope)) } } }
        h2 { "What is kept" }
        (kept::list(&context.kept))
        @if let Some(href) = context.privacy_url {
            p { (outward(&Link { href, text: "Privacy policy" })) }
        }
        form method="post" action="/oauth/consent" {
            input type="hidden" name="request" value=(context.sealed_request);
            div.actions {
                button type="submit" name="decision" value="approve" {
                    "Allow and sign in with " (context.kept.upstream_name)
                }
                button.plain type="submit" name="decision" value="deny" { "Deny" }
            }
        }
        @if let Some(href) = context.signup_url {
            p.quiet { "No account yet? " (outward(&Link { href, text: "Create one" })) }
        }
    };
    document(&context.frame, "Allow access", &body)
}

/// Said before anything else, because the name is what people read first.
fn borrowed_note(vendor: &str, origin: &str) -> Markup {
    html! {
        p.note role="note" {
            strong { "This may not be " (vendor) ". " }
            "The program uses that name, but nothing shows that it is: your approval would be sent \
             to " strong { (origin) } ". If you did not expect that, deny it."
        }
    }
}

fn destination_note(target: Target) -> Markup {
    match target {
        Target::Web => html! {},
        Target::Loopback => html! {
            p.note {
                "This is a program on your own computer. Any program on it could claim this name, "
                "so allow it only if you have just asked it to connect."
            }
        },
        Target::CustomScheme => html! {
            p.note {
                "This opens an application on your computer. Another application could have taken "
                "its address, so allow it only if you have just asked it to connect."
            }
        },
    }
}

/// A scope as a person understands it.
pub const fn in_words(scope: Scope) -> &'static str {
    match scope {
        Scope::DocsRead => "search and read the documentation (docs:read)",
        Scope::DocsFeedback => "send feedback in your name, when you agree to it (docs:feedback)",
        Scope::OpenId => "know that you are the same person next time (openid)",
        Scope::Email => "see your e-mail address (email)",
        Scope::Profile => "see your name and organization (profile)",
        Scope::OfflineAccess => "stay connected while you are away (offline_access)",
    }
}
