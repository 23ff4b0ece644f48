//! What the server says about itself, for who has not connected: the same name, revisions,
//! capabilities and tools that `server/discover` and `tools/list` give, so that the two cannot part
//! ways.

use rmcp::model::ServerConfig;
use serde_json::Value;

use crate::mcp::refusal::SUPPORTED_VERSIONS;
use crate::mcp::tools::Catalogue;

/// The server, introduced.
#[derive(Clone, Debug)]
pub struct Introduction {
    /// The program.
    pub name: String,
    /// For people.
    pub title: String,
    /// The version of the program.
    pub version: String,
    /// Where people find it.
    pub website_url: String,
    /// The revisions of MCP it speaks, newest first.
    pub protocol_versions: Vec<String>,
    /// As `server/discover` tells them.
    pub capabilities: Value,
    /// As `tools/list` lists them.
    pub tools: Vec<Value>,
}

impl Introduction {
    /// Of a server that is like this and offers these tools.
    pub fn of(about: &ServerConfig, catalogue: &Catalogue) -> Self {
        let info = &about.server_info;
        // What is made of strings, numbers and lists always becomes JSON.
        let json = |value: serde_json::Result<Value>| value.unwrap_or_default();
        let tools = catalogue.definitions();
        Self {
            name: info.name.clone(),
            title: info.title.clone().unwrap_or_default(),
            version: info.version.clone(),
            website_url: info.website_url.clone().unwrap_or_default(),
            protocol_versions: SUPPORTED_VERSIONS.iter().map(ToString::to_string).collect(),
            capabilities: json(serde_json::to_value(&about.capabilities)),
            tools: tools.iter().map(|tool| json(serde_json::to_value(tool))).collect(),
        }
    }
}
