//! An operation as a command that can be tried.

use super::example::{self, Direction};
use super::operation::value_schema;
use crate::reference::node::Node;
use crate::reference::page::OperationAt;
use crate::reference::shelf::Operation;
use crate::reference::spec::{Api, At};

/// A request that an operation takes.
pub struct Request<'a> {
    /// The API.
    pub api: &'a Api,
    /// The operation.
    pub operation: Operation<'a>,
    /// Its method and path.
    pub at: &'a OperationAt,
    /// Its parameters, those of the path included.
    pub parameters: &'a [At<'a>],
}

/// The addresses of the servers, the nearest ones that are named, variables filled in with their
/// defaults.
pub fn servers(operation: Operation<'_>) -> Vec<String> {
    let around = [operation.node, operation.item, operation.root];
    let lists = around.iter().map(|at| at.node.get("servers").items());
    let nearest = lists.into_iter().find(|servers| !servers.is_empty()).unwrap_or_default();
    let urls = nearest.iter().filter_map(|server| {
        let mut url = server.text_of("url")?.to_owned();
        for (name, variable) in server.get("variables").members() {
            if let Some(default) = variable.text_of("default") {
                url = url.replace(&format!("{{{name}}}"), default);
            }
        }
        Some(url)
    });
    urls.collect()
}

/// What the operation asks of its caller: any one of these. None if nothing is said anywhere.
pub fn security(operation: Operation<'_>) -> Option<&[Node]> {
    let of = |at: At<'_>| at.node.find("security").is_some();
    let around = [operation.node, operation.root];
    let nearest = around.into_iter().find(|at| of(*at))?;
    Some(nearest.node.get("security").items())
}

/// The media type a request is shown in: the first that is JSON, else the first.
pub fn sent(content: &Node) -> Option<(&str, &Node)> {
    let json = content.members().find(|(name, _)| name.contains("json"));
    json.or_else(|| content.members().next())
}

impl Request<'_> {
    /// As a command line.
    pub fn as_curl(&self) -> String {
        let mut lines =
            vec![format!("curl -X {} {}", self.at.method.to_uppercase(), quoted(&self.address()))];
        lines.extend(self.credentials());
        lines.extend(self.headers());
        lines.extend(self.body());
        lines.join(" \\\n  ")
    }

    fn address(&self) -> String {
        let server = servers(self.operation).into_iter().next();
        let server = server.filter(|url| url != "/").unwrap_or_else(|| "<server>".to_owned());
        let server = server.trim_end_matches('/');
        let mut query = Vec::new();
        for parameter in self.parameters {
            let is_query = parameter.node.get("in").text() == Some("query");
            if is_query && parameter.node.says("required") {
                let name = parameter.node.text_of("name").unwrap_or_default();
                query.push(format!("{name}={}", self.value_of(*parameter)));
            }
        }
        let path = &self.at.path;
        let gap = if query.is_empty() { "" } else { "?" };
        format!("{server}{path}{gap}{}", query.join("&"))
    }

    /// A value of a parameter, or its name where the reader has to fill one in.
    fn value_of(&self, parameter: At<'_>) -> String {
        let node = parameter.node;
        let name = node.text_of("name").unwrap_or("value");
        let value = node.find("example").map(Node::brief).or_else(|| {
            let made = example::of_schema(self.api, value_schema(parameter), Direction::Request);
            (made != Node::Null && !made.is_empty()).then(|| made.brief())
        });
        match value {
            Some(value) if value != "string" && value.len() <= 100 => value,
            _ => format!("<{name}>"),
        }
    }

    fn credentials(&self) -> Option<String> {
        let first = security(self.operation)?.first()?;
        let (name, _) = first.members().next()?;
        let schemes = self.operation.root.get("components").get("securitySchemes");
        let scheme = self.api.resolve(schemes.with(schemes.node.get(name))).ok()?.node;
        match (scheme.get("type").text()?, scheme.text_of("scheme").unwrap_or_default()) {
            ("http", "basic") => Some("-u \"$USER:$PASSWORD\"".to_owned()),
            ("http" | "oauth2" | "openIdConnect", _) => {
                Some("-H \"Authorization: Bearer $TOKEN\"".to_owned())
            }
            ("apiKey", _) if scheme.get("in").text() == Some("header") => {
                let header = scheme.text_of("name")?;
                let is_plain = header.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
                is_plain.then(|| format!("-H \"{header}: $API_KEY\""))
            }
            _ => None,
        }
    }

    fn headers(&self) -> Vec<String> {
        let required = self.parameters.iter().filter(|parameter| {
            parameter.node.get("in").text() == Some("header") && parameter.node.says("required")
        });
        let header = |parameter: &At<'_>| {
            let name = parameter.node.text_of("name").unwrap_or_default();
            format!("-H {}", quoted(&format!("{name}: {}", self.value_of(*parameter))))
        };
        required.map(header).collect()
    }

    fn body(&self) -> Vec<String> {
        let body = self.operation.node.get("requestBody");
        let body = self.api.resolve(body).unwrap_or(body);
        let content = body.get("content");
        let Some((name, media)) = sent(content.node) else { return Vec::new() };
        let media = content.with(media);
        let media = self.api.resolve(media).unwrap_or(media);
        let mut lines = vec![format!("-H {}", quoted(&format!("Content-Type: {name}")))];
        let given = example::of_media(self.api, media, Direction::Request);
        if let Some((_, value)) = given.first() {
            let text = match value {
                Node::Text(text) if !name.contains("json") => text.clone(),
                value => value.pretty(),
            };
            lines.push(format!("-d {}", quoted(&text)));
        } else {
            lines.push("-d @body".to_owned());
        }
        lines
    }
}

/// Text as a shell takes it whole.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}
