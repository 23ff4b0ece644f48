//! From text to [`Node`]: YAML 1.2 and JSON, within bounds.
//!
//! YAML is taken event by event, so that nesting costs no stack and every value is counted before
//! it is kept: an alias that stands for a million values is counted as a million.

use std::cell::Cell;
use std::collections::HashMap;

use saphyr_parser::{Event, Parser, ScalarStyle};
use serde::de::DeserializeSeed as _;
use serde_json::Number;

use super::node::{Counted, Map, Node};

/// Values inside values beyond this depth are refused, as serde_json refuses them in JSON. Real
/// documents stay below 40.
pub const DEPTH_MAX: usize = 127;

/// The most values one file may hold, aliases followed. The largest public documents (tens of
/// megabytes of JSON) have about a million.
pub const NODES_MAX: usize = 2_000_000;

/// How a file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Syntax {
    /// YAML, of which JSON is nearly a part.
    Yaml,
    /// JSON.
    Json,
}

impl Syntax {
    /// By the ending of a file's name; none if it is neither.
    pub fn of(path: &str) -> Option<Self> {
        let (_, extension) = path.rsplit_once('.')?;
        match extension.to_ascii_lowercase().as_str() {
            "yaml" | "yml" => Some(Self::Yaml),
            "json" => Some(Self::Json),
            _ => None,
        }
    }
}

/// Reads a text. An error says in plain words what is wrong, and in which line.
pub fn parse(text: &str, syntax: Syntax) -> Result<Node, String> {
    let text = text.trim_start_matches('\u{feff}');
    match syntax {
        Syntax::Json => json(text).map_err(|error| error.to_string()),
        Syntax::Yaml => yaml(text),
    }
}

fn json(text: &str) -> Result<Node, serde_json::Error> {
    let left = Cell::new(NODES_MAX);
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let node = Counted(&left).deserialize(&mut deserializer)?;
    deserializer.end()?;
    Ok(node)
}

/// A list or map that is not finished yet.
struct Open {
    what: Collection,
    /// The anchor others refer to it by; 0 for none.
    anchor: usize,
    /// How many values there were before it.
    nodes_before: usize,
}

enum Collection {
    List(Vec<Node>),
    /// With the key whose value comes next.
    Map(Map, Option<String>),
}

#[derive(Default)]
struct Builder {
    open: Vec<Open>,
    /// Values others refer to, and of how many values each consists.
    anchored: HashMap<usize, (Node, usize)>,
    nodes: usize,
    root: Option<Node>,
}

fn yaml(text: &str) -> Result<Node, String> {
    let mut builder = Builder::default();
    for event in Parser::new_from_str(text) {
        let (event, span) =
            event.map_err(|error| format!("{} in line {}", error.info(), error.marker().line()))?;
        if matches!(event, Event::DocumentEnd) {
            break;
        }
        let line = span.start.line();
        builder.take(event).map_err(|message| format!("{message} in line {line}"))?;
    }
    Ok(builder.root.unwrap_or_default())
}

impl Builder {
    fn take(&mut self, event: Event<'_>) -> Result<(), String> {
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                // `!!str 1` is a text however it looks; other tags say what is plain to see.
                let is_text = tag.is_some_and(|tag| tag.suffix == "str");
                let is_plain = style == ScalarStyle::Plain && !is_text;
                if let Some(key) = self.awaited_key() {
                    *key = Some(text.into_owned());
                    return Ok(());
                }
                let node = if is_plain { plain(&text) } else { Node::Text(text.into_owned()) };
                self.nodes += 1;
                self.finish(node, anchor, 1)
            }
            Event::SequenceStart(anchor, _) => self.enter(Collection::List(Vec::new()), anchor),
            Event::MappingStart(anchor, _) => self.enter(Collection::Map(Map::new(), None), anchor),
            Event::SequenceEnd | Event::MappingEnd => {
                let Some(open) = self.open.pop() else { return Ok(()) };
                let node = match open.what {
                    Collection::List(items) => Node::List(items),
                    Collection::Map(members, _) => Node::Map(merged(members)),
                };
                self.finish(node, open.anchor, self.nodes - open.nodes_before)
            }
            Event::Alias(anchor) => {
                let (node, size) = match self.anchored.get(&anchor) {
                    Some((node, size)) if self.nodes + size <= NODES_MAX => (node.clone(), *size),
                    Some(_) => return Err(too_many()),
                    None => return Err("an alias stands for what contains it".to_owned()),
                };
                if let Some(key) = self.awaited_key() {
                    *key = Some(node.brief());
                    return Ok(());
                }
                self.nodes += size;
                self.finish(node, 0, size)
            }
            Event::Nothing
            | Event::StreamStart
            | Event::StreamEnd
            | Event::DocumentStart(_)
            | Event::DocumentEnd => Ok(()),
        }
    }

    /// Where the next scalar goes if it is a key.
    fn awaited_key(&mut self) -> Option<&mut Option<String>> {
        match &mut self.open.last_mut()?.what {
            Collection::Map(_, key) if key.is_none() => Some(key),
            Collection::Map(..) | Collection::List(_) => None,
        }
    }

    fn enter(&mut self, what: Collection, anchor: usize) -> Result<(), String> {
        if self.awaited_key().is_some() {
            return Err("a key that is a list or a map".to_owned());
        }
        if self.open.len() >= DEPTH_MAX {
            return Err(format!("more than {DEPTH_MAX} levels inside each other"));
        }
        self.open.push(Open { what, anchor, nodes_before: self.nodes });
        self.nodes += 1;
        Ok(())
    }

    fn finish(&mut self, node: Node, anchor: usize, size: usize) -> Result<(), String> {
        if self.nodes > NODES_MAX {
            return Err(too_many());
        }
        if anchor > 0 {
            // What is kept to be repeated is counted too: it takes memory.
            self.nodes += size;
            self.anchored.insert(anchor, (node.clone(), size));
        }
        match self.open.last_mut().map(|open| &mut open.what) {
            None => self.root = Some(node),
            Some(Collection::List(items)) => items.push(node),
            Some(Collection::Map(members, key)) => {
                if let Some(key) = key.take() {
                    members.insert(key, node);
                }
            }
        }
        Ok(())
    }
}

fn too_many() -> String {
    format!("more than {NODES_MAX} values, aliases followed,")
}

/// Puts in place what a merge key (`<<`) refers to. YAML 1.2 has none, but documents do.
fn merged(mut members: Map) -> Map {
    let sources = match members.get("<<") {
        Some(Node::Map(_)) => vec![members.shift_remove("<<").unwrap_or_default()],
        Some(Node::List(items)) if items.iter().all(Node::is_map) => {
            match members.shift_remove("<<") {
                Some(Node::List(items)) => items,
                _ => Vec::new(),
            }
        }
        _ => return members,
    };
    for source in sources {
        let Node::Map(source) = source else { continue };
        for (name, node) in source {
            members.entry(name).or_insert(node);
        }
    }
    members
}

/// What a scalar without quotes means: the core schema of YAML 1.2, in which `yes` and `on` are
/// texts.
fn plain(text: &str) -> Node {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Node::Null,
        "true" | "True" | "TRUE" => Node::Bool(true),
        "false" | "False" | "FALSE" => Node::Bool(false),
        _ => number(text).map_or_else(|| Node::Text(text.to_owned()), Node::Number),
    }
}

/// A number, or none: what JSON has no number for stays a text.
fn number(text: &str) -> Option<Number> {
    let radix = |digits: &str, radix| {
        let is_unsigned = !digits.starts_with(['+', '-']);
        is_unsigned.then(|| u64::from_str_radix(digits, radix).ok().map(Number::from))?
    };
    if let Some(digits) = text.strip_prefix("0x") {
        return radix(digits, 16);
    }
    if let Some(digits) = text.strip_prefix("0o") {
        return radix(digits, 8);
    }
    let is_numeric = text.bytes().all(|b| b.is_ascii_digit() || b"+-.eE".contains(&b))
        && text.bytes().any(|b| b.is_ascii_digit());
    if !is_numeric {
        return None;
    }
    if let Ok(whole) = text.parse::<i64>() {
        return Some(whole.into());
    }
    if let Ok(whole) = text.parse::<u64>() {
        return Some(whole.into());
    }
    Number::from_f64(text.parse().ok()?)
}

#[cfg(test)]
mod tests;
