//! The front door: what this server is and how to connect a client to it.

use maud::{Markup, html};

use crate::page::{Frame, Link, document, outward};

/// What the visitor is told.
#[derive(Clone, Debug)]
pub struct FrontDoorContext<'a> {
    /// What every page shows.
    pub frame: Frame<'a>,
    /// The MCP endpoint.
    pub resource: &'a str,
    /// Where help is.
    pub help_url: Option<&'a str>,
}

/// Renders the page.
pub fn render(context: &FrontDoorContext<'_>) -> String {
    document(&context.frame, "Documentation for assistants", &body(context))
}

fn body(context: &FrontDoorContext<'_>) -> Markup {
    html! {
        h1 { "The " (context.frame.product) " documentation, for your assistant" }
        p {
            "This is an MCP server. Add its address to your client, sign in when the browser "
            "opens, and your assistant can search and read the documentation."
        }
        h2 { "Address" }
        pre { code { (context.resource) } }
        h2 { "Claude Code" }
        pre { code { (claude_code(context.resource)) } }
        h2 { "VS Code" }
        pre { code { (vs_code(context.resource)) } }
        h2 { "Claude, ChatGPT, Cursor and others" }
        p { "Add a custom connector or MCP server, choose HTTP, and paste the address." }
        @if let Some(href) = context.help_url {
            p { (outward(&Link { href, text: "Help" })) }
        }
    }
}

/// The same as Markdown, for an assistant that asks.
pub fn markdown(context: &FrontDoorContext<'_>) -> String {
    let FrontDoorContext { frame, resource, help_url } = context;
    let help = help_url.map(|url| format!("\nHelp: <{url}>\n")).unwrap_or_default();
    format!(
        "# The {} documentation, for your assistant\n\n\
         This is an MCP server. Add its address to your client and sign in when the browser \
         opens.\n\n- Address: <{resource}>\n- Claude Code: `{}`\n- VS Code: `{}`\n{help}",
        frame.product,
        claude_code(resource),
        vs_code(resource),
    )
}

fn claude_code(resource: &str) -> String {
    format!("claude mcp add --transport http docs {resource}")
}

fn vs_code(resource: &str) -> String {
    format!(r#"code --add-mcp '{{"name":"docs","type":"http","url":"{resource}"}}'"#)
}
