//! Other MCP servers whose tools are offered here: `[[remote]]` in the file.
//!
//! Everything is checked before the start, and a message names the whole path of what is wrong,
//! such as `remote[0].tool[1].arguments.query`. A credential stands in the environment, and only
//! the variable's name in the file.

use std::collections::BTreeSet;
use std::time::Duration;

use http::{HeaderName, HeaderValue, header};
use url::Url;

use crate::config::layers::{ConfigError, Given, Layers};
use crate::config::remote_tool::{Offered, Place, ToolConfig, tool};
use crate::config::tables::Table;
use crate::config::values;
use crate::secret::Secret;

/// The longest deadlines; a request to `/mcp` is given up a little later.
const TIMEOUT_MAX: Duration = Duration::from_secs(30);
const TIMEOUT_MIN: Duration = Duration::from_secs(1);

/// Headers that the transport sets itself.
const TRANSPORT_HEADERS: [&str; 9] = [
    "accept",
    "connection",
    "content-length",
    "content-type",
    "cookie",
    "host",
    "mcp-protocol-version",
    "mcp-session-id",
    "transfer-encoding",
];

/// What a supplier is told of the person who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ToldOfPerson {
    /// Nothing.
    Nothing,
    /// The e-mail address, and its domain as the company.
    Domain,
    /// The e-mail address, and the organization as the company; its domain where none is known.
    Organization,
}

impl ToldOfPerson {
    /// The names of what is told.
    pub const fn fields(self) -> &'static [&'static str] {
        match self {
            Self::Nothing => &[],
            Self::Domain => &["email", "domain"],
            Self::Organization => &["email", "organization"],
        }
    }
}

/// What opens the door of another server.
#[derive(Clone, Debug)]
pub struct Credential {
    /// The header that carries it.
    pub header: HeaderName,
    /// The header's value, which may be sent and never shown.
    pub value: Secret,
}

/// Another MCP server.
#[derive(Clone, Debug)]
pub struct RemoteConfig {
    /// What it is called in answers, in the log and on pages.
    pub name: String,
    /// Its endpoint. It may hold a key, so it is never shown.
    pub url: Url,
    /// Sent with every request.
    pub credential: Option<Credential>,
    /// Whether the person travels with a call.
    pub told_of_person: ToldOfPerson,
    /// How long the connection and the handshake may take.
    pub connect_timeout: Duration,
    /// How long a call may take, in all its attempts.
    pub call_timeout: Duration,
    /// What is offered of it.
    pub tools: Vec<ToolConfig>,
}

/// Reads all of them.
pub fn remotes(layers: &Layers, given: &Given) -> Result<Vec<RemoteConfig>, ConfigError> {
    let mut taken = Taken::default();
    layers.tables("remote").iter().map(|table| remote(table.clone(), given, &mut taken)).collect()
}

/// What is given away already.
#[derive(Default)]
struct Taken {
    names: BTreeSet<String>,
    places: BTreeSet<Place>,
    tools: BTreeSet<String>,
}

fn remote(mut table: Table, given: &Given, taken: &mut Taken) -> Result<RemoteConfig, ConfigError> {
    let name = table.read("name", name)?;
    if !taken.names.insert(name.clone()) {
        return Err(table.error("name", format!("{name:?} is the name of another one")));
    }
    let timeout = |text: &str| values::duration_within(text, TIMEOUT_MIN, TIMEOUT_MAX);
    let credential = credential(&mut table, given)?;
    let config = RemoteConfig {
        name,
        // It may hold a key, so no message repeats it.
        url: table.read("url", |text| {
            values::address(text).map_err(|message| message.replace(text, "…"))
        })?,
        credential,
        told_of_person: table.read_or("user", "none", told_of_person)?,
        connect_timeout: table.read_or("connect_timeout", "8s", timeout)?,
        call_timeout: table.read_or("call_timeout", "22s", timeout)?,
        tools: tools(&mut table, taken)?,
    };
    table.finish()?;
    Ok(config)
}

fn tools(table: &mut Table, taken: &mut Taken) -> Result<Vec<ToolConfig>, ConfigError> {
    let mut tools = Vec::new();
    for entry in table.tables("tool")? {
        let offer = entry.clone();
        let tool = tool(entry)?;
        let is_free = match &tool.offered {
            // Any number of servers may add to a search.
            Offered::InPlaceOf(Place::SearchDocs) => true,
            Offered::InPlaceOf(place) => taken.places.insert(*place),
            Offered::AsNew { name, .. } => taken.tools.insert(name.clone()),
        };
        if !is_free {
            return Err(offer.error("as", "another tool is offered so already"));
        }
        tools.push(tool);
    }
    if tools.is_empty() {
        return Err(table.error("tool", "it is missing: which of its tools are offered here?"));
    }
    Ok(tools)
}

fn name(text: &str) -> Result<String, String> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || " ._-".contains(c);
    if text == "local" {
        return Err("that is what this server's own documentation is called".into());
    }
    if (1..=40).contains(&text.len()) && text.chars().all(is_plain) {
        Ok(text.to_owned())
    } else {
        Err("it must have 1 to 40 letters, digits, spaces, dots, underscores or hyphens".into())
    }
}

fn told_of_person(text: &str) -> Result<ToldOfPerson, String> {
    match text {
        "none" => Ok(ToldOfPerson::Nothing),
        "domain" => Ok(ToldOfPerson::Domain),
        "organization" => Ok(ToldOfPerson::Organization),
        _ => Err(format!("{text:?} is none of none, domain, organization")),
    }
}

fn credential(table: &mut Table, given: &Given) -> Result<Option<Credential>, ConfigError> {
    let header = table.read_or("credential_header", "authorization", header_name)?;
    let Some(variable) = table.text("credential_env")? else { return Ok(None) };
    let complain = |message: &str| table.error("credential_env", message);
    if variable.starts_with("GATEHOUSE_") {
        return Err(complain("names that begin with GATEHOUSE_ are those of settings"));
    }
    let found = given.environment.iter().find(|(name, _)| *name == variable);
    let value = found.map(|(_, value)| value.trim()).filter(|value| !value.is_empty());
    let Some(value) = value else {
        return Err(complain(&format!("the environment has no {variable}")));
    };
    // RFC 6750 §2.1; another header takes the value as it is.
    let is_bare = header == header::AUTHORIZATION && !value.contains(' ');
    let line = if is_bare { format!("Bearer {value}") } else { value.to_owned() };
    if HeaderValue::from_str(&line).is_err() {
        return Err(complain(&format!("the value of {variable} cannot stand in a header")));
    }
    Ok(Some(Credential { header, value: Secret::presented(line) }))
}

fn header_name(text: &str) -> Result<HeaderName, String> {
    let complain = || format!("{text:?} is no name of a header");
    let name: HeaderName = text.parse().map_err(|_| complain())?;
    if TRANSPORT_HEADERS.contains(&name.as_str()) {
        return Err(format!("{name} is set by Gatehouse itself"));
    }
    Ok(name)
}

#[cfg(test)]
mod tests;
