//! What a YAML or JSON file says, in the order it says it.
//!
//! Not `serde_json::Value`, which sorts the members of an object: an author puts the field that
//! matters first, and a reader should find it there.

use std::cell::Cell;
use std::fmt;

use indexmap::IndexMap;
use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::ser::{Serialize, Serializer};
use serde_json::Number;

/// A value, as JSON has them.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Node {
    /// Nothing.
    #[default]
    Null,
    /// True or false.
    Bool(bool),
    /// A number.
    Number(Number),
    /// A text.
    Text(String),
    /// Values in order.
    List(Vec<Node>),
    /// Values by name, in order.
    Map(Map),
}

/// Values by name, in order.
pub type Map = IndexMap<String, Node>;

/// What stands where nothing is.
pub static NOTHING: Node = Node::Null;

impl Node {
    /// The member with this name, or nothing.
    pub fn get(&self, name: &str) -> &Node {
        self.find(name).unwrap_or(&NOTHING)
    }

    /// The member with this name, if there is one.
    pub fn find(&self, name: &str) -> Option<&Node> {
        match self {
            Self::Map(members) => members.get(name),
            _ => None,
        }
    }

    /// The text, or none if it is something else.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The text of a member that is a text and has more than white space in it.
    pub fn text_of(&self, name: &str) -> Option<&str> {
        self.get(name).text().map(str::trim).filter(|text| !text.is_empty())
    }

    /// Whether a member is true. What is not said is not so.
    pub fn says(&self, name: &str) -> bool {
        matches!(self.get(name), Self::Bool(true))
    }

    /// The values of a list; none of anything else.
    pub fn items(&self) -> &[Node] {
        match self {
            Self::List(items) => items,
            _ => &[],
        }
    }

    /// The members of a map; none of anything else.
    pub fn members(&self) -> impl Iterator<Item = (&str, &Node)> {
        let members = match self {
            Self::Map(members) => Some(members),
            _ => None,
        };
        members.into_iter().flatten().map(|(name, node)| (name.as_str(), node))
    }

    /// Whether it is a map.
    pub fn is_map(&self) -> bool {
        matches!(self, Self::Map(_))
    }

    /// Whether it is nothing, an empty list or an empty map.
    pub fn is_empty(&self) -> bool {
        match self {
            Self::Null => true,
            Self::List(items) => items.is_empty(),
            Self::Map(members) => members.is_empty(),
            Self::Bool(_) | Self::Number(_) | Self::Text(_) => false,
        }
    }

    /// What a JSON pointer names (RFC 6901), percent-encoding undone by the caller.
    pub fn pointer(&self, pointer: &str) -> Option<&Node> {
        let Some(parts) = pointer.strip_prefix('/') else {
            return pointer.is_empty().then_some(self);
        };
        parts.split('/').try_fold(self, |node, part| {
            let part = part.replace("~1", "/").replace("~0", "~");
            match node {
                Self::Map(members) => members.get(&part),
                Self::List(items) => items.get(part.parse::<usize>().ok()?),
                _ => None,
            }
        })
    }

    /// The value in one line of JSON; a text without its quotes.
    pub fn brief(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            other => serde_json::to_string(other).unwrap_or_default(),
        }
    }

    /// The value as JSON, indented.
    pub fn pretty(&self) -> String {
        serde_json::to_string_pretty(self).unwrap_or_default()
    }
}

impl Serialize for Node {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Bool(value) => serializer.serialize_bool(*value),
            Self::Number(number) => number.serialize(serializer),
            Self::Text(text) => serializer.serialize_str(text),
            Self::List(items) => serializer.collect_seq(items),
            Self::Map(members) => serializer.collect_map(members),
        }
    }
}

/// Reads any value of another format, and counts down for each; at none left it is an error, so
/// that a small file cannot take much memory.
pub struct Counted<'a>(pub &'a Cell<usize>);

impl<'de> DeserializeSeed<'de> for Counted<'_> {
    type Value = Node;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Node, D::Error> {
        let Some(left) = self.0.get().checked_sub(1) else {
            return Err(de::Error::custom("too many values"));
        };
        self.0.set(left);
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Counted<'_> {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON value")
    }

    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Node, E> {
        Ok(Node::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Node, E> {
        Ok(Node::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Node, E> {
        Ok(Node::Number(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Node, E> {
        Ok(Number::from_f64(value).map_or(Node::Null, Node::Number))
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<Node, E> {
        Ok(Node::Text(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Node, E> {
        Ok(Node::Text(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Node, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = list.next_element_seed(Counted(self.0))? {
            items.push(item);
        }
        Ok(Node::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Node, A::Error> {
        let mut members = Map::new();
        while let Some(name) = map.next_key()? {
            members.insert(name, map.next_value_seed(Counted(self.0))?);
        }
        Ok(Node::Map(members))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reference::parse::{Syntax, parse};

    #[test]
    fn json_comes_back_in_its_own_order() {
        let text = r#"{"b":1,"a":[true,null,-2.5,"x"],"c":{}}"#;
        let node = parse(text, Syntax::Json).unwrap();
        assert_eq!(node.brief(), text);
    }

    #[test]
    fn a_pointer_names_members_and_items() {
        let node = parse(r#"{"a/b":[{"~":7}]}"#, Syntax::Json).unwrap();
        assert_eq!(node.pointer("/a~1b/0/~0").map(Node::brief).as_deref(), Some("7"));
        assert_eq!(node.pointer(""), Some(&node));
        for nowhere in ["/a~1b/1", "/a~1b/x", "a", "/", "/a~1b/0/~0/deeper"] {
            assert_eq!(node.pointer(nowhere), None, "{nowhere}");
        }
    }
}
