//! A person's own page: who is signed in, what they connected, and how to end it.

use maud::{Markup, html};

use crate::domain::scope::Scope;
use crate::page::consent::in_words;
use crate::page::kept::{self, KeptContext};
use crate::page::sharing::{self, SharingContext};
use crate::page::{Frame, Link, document, outward};

/// What a person is shown of themselves.
#[derive(Clone, Debug)]
pub struct AccountContext<'a> {
    /// What every page shows.
    pub frame: Frame<'a>,
    /// Who is signed in, as far as known.
    pub person: PersonShown<'a>,
    /// What they connected, the newest first.
    pub connections: Vec<ConnectionShown<'a>>,
    /// What has just been done.
    pub done: Option<&'a str>,
    /// The connection they were sent here to end.
    pub asked: Asked<'a>,
    /// What is kept of people.
    pub kept: KeptContext<'a>,
    /// Who is told of the person.
    pub sharing: SharingContext<'a>,
    /// The privacy policy.
    pub privacy_url: Option<&'a str>,
    /// Ties the forms to the session.
    pub form: &'a str,
    /// Where the forms go, and the page itself.
    pub paths: Paths<'a>,
}

/// A person, as the provider reports them, and where they belong.
#[derive(Clone, Debug, Default)]
pub struct PersonShown<'a> {
    /// Their name.
    pub name: Option<&'a str>,
    /// Their address.
    pub email: Option<&'a str>,
    /// Their organization.
    pub organization: OrganizationShown<'a>,
}

/// What use by a person is counted for.
#[derive(Clone, Copy, Debug, Default)]
pub enum OrganizationShown<'a> {
    /// An organization.
    Known {
        /// What it is called.
        name: &'a str,
        /// Where that is known from, in words.
        source: &'a str,
    },
    /// None: the address is one that anybody can have.
    PersonalAddress,
    /// None that is known.
    #[default]
    Unknown,
}

/// A program that a person connected.
#[derive(Clone, Debug)]
pub struct ConnectionShown<'a> {
    /// What the form calls it.
    pub id: String,
    /// What it calls itself; nobody has checked it.
    pub client_name: Option<&'a str>,
    /// The host that vouches for it.
    pub publisher: Option<&'a str>,
    /// What it may do.
    pub scopes: Vec<Scope>,
    /// When it was connected, as people write it.
    pub connected_at: String,
    /// When it was last used, as people write it.
    pub last_used_at: String,
}

/// What a link asked the person to decide.
#[derive(Clone, Debug)]
pub enum Asked<'a> {
    /// Nothing.
    Nothing,
    /// To end this connection.
    About(ConnectionShown<'a>),
    /// To end one that is not theirs or has ended.
    Unknown,
}

/// Where things are.
#[derive(Clone, Copy, Debug)]
pub struct Paths<'a> {
    /// This page.
    pub account: &'a str,
    /// The form that disconnects.
    pub disconnect: &'a str,
    /// The form that signs out.
    pub logout: &'a str,
}

/// Renders the page.
pub fn render(context: &AccountContext<'_>) -> String {
    let body = html! {
        h1 { "Your account" }
        @if let Some(done) = context.done { p.note role="status" { (done) } }
        (asked(context))
        (who(context))
        h2 id="connected" { "Connected programs" }
        @if context.connections.is_empty() {
            p { "No program is connected to your account." }
        } @else {
            ul.plain role="list" aria-labelledby="connected" {
                @for connection in &context.connections { li { (card(context, connection)) } }
            }
            @if context.connections.len() > 1 {
                form method="post" action=(context.paths.disconnect) {
                    input type="hidden" name="form" value=(context.form);
                    div.actions {
                        button type="submit" name="grant" value="all" { "Disconnect all" }
                    }
                }
            }
            p.quiet {
                "A program that is disconnected can do nothing more here, and asks you again if it "
                "is to come back."
            }
        }
        (sharing::told(&context.sharing))
        (what_is_kept(&context.kept))
        (policy(context.privacy_url))
        (sharing::own_data(&context.sharing))
    };
    document(&context.frame, "Your account", &body)
}

fn who(context: &AccountContext<'_>) -> Markup {
    let person = &context.person;
    html! {
        h2 { "Signed in as" }
        dl {
            (row("Name", person.name))
            (row("E-mail address", person.email))
            div { dt { "Organization" } dd { (organization(person.organization)) } }
        }
        form method="post" action=(context.paths.logout) {
            input type="hidden" name="form" value=(context.form);
            div.actions { button.plain type="submit" { "Sign out of this browser" } }
        }
    }
}

fn organization(organization: OrganizationShown<'_>) -> Markup {
    match organization {
        OrganizationShown::Known { name, source } => html! {
            (name) " " span.quiet { "(" (source) ")" }
        },
        OrganizationShown::PersonalAddress => html! {
            "none " span.quiet { "(your address is with a free or disposable mail provider)" }
        },
        OrganizationShown::Unknown => html! { "none that is known" },
    }
}

fn row(term: &str, value: Option<&str>) -> Markup {
    html! { @if let Some(value) = value { div { dt { (term) } dd { (value) } } } }
}

fn asked(context: &AccountContext<'_>) -> Markup {
    match &context.asked {
        Asked::Nothing => html! {},
        Asked::Unknown => html! {
            p.note role="status" {
                "The connection you came to end is not one of yours, or has ended already."
            }
        },
        Asked::About(connection) => html! {
            section.note aria-labelledby="asked" {
                h2 id="asked" { "Disconnect “" (name(connection)) "”?" }
                p { "Your assistant asked for this. Nothing has been done yet." }
                (facts(connection))
                (form(context, connection, "Disconnect it"))
                p { a href=(context.paths.account) { "Keep it connected" } }
            }
        },
    }
}

fn card(context: &AccountContext<'_>, connection: &ConnectionShown<'_>) -> Markup {
    html! {
        h3 { (name(connection)) }
        (facts(connection))
        (form(context, connection, "Disconnect"))
    }
}

fn facts(connection: &ConnectionShown<'_>) -> Markup {
    html! {
        dl {
            div {
                dt { "Published by" }
                dd {
                    @match connection.publisher {
                        Some(publisher) => {
                            strong { (publisher) }
                            " " span.quiet { "(verified: its description was read there)" }
                        }
                        None => { "unknown " span.quiet { "(its name is its own claim)" } }
                    }
                }
            }
            div {
                dt { "It may" }
                dd { ul { @for scope in &connection.scopes { li { (in_words(*scope)) } } } }
            }
            div { dt { "Connected" } dd { (connection.connected_at) } }
            div { dt { "Last used" } dd { (connection.last_used_at) } }
        }
    }
}

/// A button that also says to those who do not see what it stands beside.
fn form(context: &AccountContext<'_>, connection: &ConnectionShown<'_>, text: &str) -> Markup {
    let label = format!("{text}: {}, connected {}", name(connection), connection.connected_at);
    html! {
        form method="post" action=(context.paths.disconnect) {
            input type="hidden" name="form" value=(context.form);
            input type="hidden" name="grant" value=(connection.id);
            div.actions { button.plain type="submit" aria-label=(label) { (text) } }
        }
    }
}

fn name<'a>(connection: &ConnectionShown<'a>) -> &'a str {
    connection.client_name.unwrap_or("A program without a name")
}

/// What somebody is shown who is not signed in.
#[derive(Clone, Debug)]
pub struct SignedOutContext<'a> {
    /// What every page shows.
    pub frame: Frame<'a>,
    /// What has become of what they wanted to do.
    pub note: Option<&'a str>,
    /// What is kept of people.
    pub kept: KeptContext<'a>,
    /// The privacy policy.
    pub privacy_url: Option<&'a str>,
    /// Where the sign-in begins.
    pub login: &'a str,
}

/// Renders the page before the sign-in.
pub fn render_signed_out(context: &SignedOutContext<'_>) -> String {
    let body = html! {
        h1 { "Your account" }
        @if let Some(note) = context.note { p.note role="status" { (note) } }
        p {
            "Sign in to see which programs you connected to the " (context.frame.product)
            " documentation, and to disconnect them."
        }
        (what_is_kept(&context.kept))
        (policy(context.privacy_url))
        div.actions {
            a.button href=(context.login) { "Sign in with " (context.kept.upstream_name) }
        }
    };
    document(&context.frame, "Your account", &body)
}

fn what_is_kept(context: &KeptContext<'_>) -> Markup {
    html! {
        h2 { "What is kept" }
        (kept::list(context))
        p { "Of a browser that is signed in: that it is, and until when." }
    }
}

fn policy(privacy_url: Option<&str>) -> Markup {
    html! {
        @if let Some(href) = privacy_url {
            p { (outward(&Link { href, text: "Privacy policy" })) }
        }
    }
}
