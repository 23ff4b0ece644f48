//! The front door: what this server is, how it is, and how to connect a client to it.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use maud::{Markup, html};
use serde_json::json;

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
    /// The documentation as people read it.
    pub docs_url: Option<&'a str>,
    /// The privacy policy.
    pub privacy_url: Option<&'a str>,
    /// A person's own page.
    pub account_url: String,
    /// Pages that can be searched and read.
    pub pages: usize,
    /// Whether people can sign in.
    pub sign_in: SignIn<'a>,
}

/// How signing in is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignIn<'a> {
    /// Nobody can: there is no identity provider.
    NotSetUp,
    /// The provider did not answer when it was last asked.
    Disturbed(&'a str),
    /// With this provider.
    With(&'a str),
}

/// How one client is told about this server.
struct Client {
    name: &'static str,
    /// What its person does.
    steps: String,
    /// What they type.
    command: Option<String>,
    /// What opens the client and asks it.
    one_click: Option<String>,
}

/// Renders the page.
pub fn render(context: &FrontDoorContext<'_>) -> String {
    let body = html! {
        h1 { "The " (context.frame.product) " documentation, for your assistant" }
        p {
            "This is an MCP server. Add its address to your assistant or editor, sign in when the "
            "browser opens, and it can search and read the documentation for you."
        }
        h2 { "Address" }
        pre { code { (context.resource) } }
        (status(context))
        h2 { "Connect" }
        @for (place, client) in clients(context).iter().enumerate() { (told(client, place == 0)) }
        (links(context))
    };
    document(&context.frame, "Documentation for assistants", &body)
}

fn status(context: &FrontDoorContext<'_>) -> Markup {
    html! {
        h2 { "Right now" }
        ul {
            li { (pages_in_words(context.pages)) }
            li { (sign_in_in_words(context.sign_in)) }
        }
    }
}

fn pages_in_words(pages: usize) -> String {
    match pages {
        0 => "The documentation is not loaded.".into(),
        1 => "1 page can be searched and read.".into(),
        pages => format!("{pages} pages can be searched and read."),
    }
}

fn sign_in_in_words(sign_in: SignIn<'_>) -> String {
    match sign_in {
        SignIn::NotSetUp => "Sign-in is not set up, so nobody can connect.".into(),
        SignIn::Disturbed(name) => format!(
            "You sign in with {name}, which did not answer a moment ago. Who is connected stays so."
        ),
        SignIn::With(name) => format!("You sign in with {name}."),
    }
}

/// Folded, so that all names fit on a screen; a browser opens and searches it without a script.
fn told(client: &Client, is_open: bool) -> Markup {
    html! {
        details open[is_open] {
            summary { (client.name) }
            div {
                p { (client.steps) }
                @if let Some(command) = &client.command { pre { code { (command) } } }
                @if let Some(address) = &client.one_click {
                    div.actions { a.button href=(address) { "Add to " (client.name) } }
                }
            }
        }
    }
}

fn links(context: &FrontDoorContext<'_>) -> Markup {
    let links = [
        ("The documentation", context.docs_url),
        ("Help", context.help_url),
        ("Privacy policy", context.privacy_url),
    ];
    let known: Vec<_> = links.iter().filter_map(|(text, href)| Some((text, (*href)?))).collect();
    html! {
        h2 { "More" }
        ul {
            li { a href=(context.account_url) { "Your account: what you connected" } }
            @for (text, href) in known { li { (outward(&Link { href, text })) } }
        }
    }
}

/// The same as Markdown, for an assistant that asks.
pub fn markdown(context: &FrontDoorContext<'_>) -> String {
    let mut text = format!(
        "# The {} documentation, for your assistant\n\n\
         This is an MCP server. Add its address to your client and sign in when the browser \
         opens.\n\n- Address: <{}>\n- {}\n- {}\n",
        context.frame.product,
        context.resource,
        pages_in_words(context.pages),
        sign_in_in_words(context.sign_in),
    );
    for client in clients(context) {
        let _ = writeln!(text, "\n## {}\n\n{}", client.name, client.steps);
        if let Some(command) = client.command {
            let _ = writeln!(text, "\n```sh\n{command}\n```");
        }
    }
    if let Some(url) = context.help_url {
        let _ = writeln!(text, "\nHelp: <{url}>");
    }
    text
}

fn clients(context: &FrontDoorContext<'_>) -> Vec<Client> {
    let (name, url) = (short_name(context.frame.product), context.resource);
    let paste = "choose OAuth if you are asked, and paste the address.";
    vec![
        Client {
            name: "Claude Code",
            steps: "In a terminal; then type /mcp in Claude Code to sign in.".into(),
            command: Some(format!("claude mcp add --transport http {name} {url}")),
            one_click: None,
        },
        Client {
            name: "Claude",
            steps: "In Settings, open Connectors, choose “Add custom connector” and paste the \
                    address."
                .into(),
            command: None,
            one_click: None,
        },
        Client {
            name: "ChatGPT",
            steps: format!(
                "In Settings, open Apps and connectors, switch developer mode on under Advanced, \
                 choose “Create”, {paste}"
            ),
            command: None,
            one_click: None,
        },
        Client {
            name: "Cursor",
            steps: "With one click, or in Settings under Tools and MCP.".into(),
            command: None,
            one_click: Some(cursor_link(&name, url)),
        },
        Client {
            name: "Visual Studio Code",
            steps: "With one click, or in a terminal.".into(),
            command: Some(format!("code --add-mcp '{}'", vs_code_entry(&name, url))),
            one_click: Some(vs_code_link(&name, url)),
        },
        Client {
            name: "Gemini CLI",
            steps: "In a terminal; then type /mcp auth in Gemini CLI to sign in.".into(),
            command: Some(format!("gemini mcp add --transport http {name} {url}")),
            one_click: None,
        },
        Client {
            name: "Codex CLI",
            steps: "In a terminal.".into(),
            command: Some(format!("codex mcp add {name} --url {url}\ncodex mcp login {name}")),
            one_click: None,
        },
        Client {
            name: "Others",
            steps: format!(
                "Add a remote MCP server of type HTTP (“Streamable HTTP”), {paste} A client that \
                 knows only local servers can use a bridge:"
            ),
            command: Some(format!("npx -y mcp-remote {url}")),
            one_click: None,
        },
    ]
}

/// What clients call this server: letters, digits and dashes, so that no shell minds it.
fn short_name(product: &str) -> String {
    let plain = product.to_ascii_lowercase();
    let words = plain.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let mut name = words.collect::<Vec<_>>().join("-");
    if !name.is_empty() {
        name.push('-');
    }
    name + "docs"
}

fn cursor_link(name: &str, url: &str) -> String {
    let config = STANDARD.encode(json!({ "url": url }).to_string());
    let parameters = [("name", name), ("config", config.as_str())];
    format!("cursor://anysphere.cursor-deeplink/mcp/install?{}", encoded(&parameters))
}

fn vs_code_entry(name: &str, url: &str) -> String {
    json!({ "name": name, "type": "http", "url": url }).to_string()
}

fn vs_code_link(name: &str, url: &str) -> String {
    let entry = vs_code_entry(name, url);
    let entry: String = url::form_urlencoded::byte_serialize(entry.as_bytes()).collect();
    format!("vscode:mcp/install?{entry}")
}

fn encoded(parameters: &[(&str, &str)]) -> String {
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_product_becomes_a_name_no_shell_minds() {
        for (product, name) in [
            ("Example", "example-docs"),
            ("Example & Co. Data", "example-co-data-docs"),
            ("'; rm -rf /", "rm-rf-docs"),
            ("文書", "docs"),
        ] {
            assert_eq!(short_name(product), name);
        }
    }

    #[test]
    fn links_carry_the_address_as_their_clients_read_it() {
        let url = "https://docs.example.com/mcp";
        let cursor = url::Url::parse(&cursor_link("docs", url)).unwrap();
        let config = cursor.query_pairs().find(|(key, _)| key == "config").unwrap().1.into_owned();
        let config: serde_json::Value =
            serde_json::from_slice(&STANDARD.decode(config).unwrap()).unwrap();
        assert_eq!(config, json!({ "url": url }));
        let vs_code = vs_code_link("docs", url);
        let entry = vs_code.strip_prefix("vscode:mcp/install?").unwrap();
        let entry = percent_encoding::percent_decode_str(entry).decode_utf8().unwrap();
        let entry: serde_json::Value = serde_json::from_str(&entry).unwrap();
        assert_eq!(entry["url"], url);
        assert_eq!(entry["type"], "http");
    }
}
