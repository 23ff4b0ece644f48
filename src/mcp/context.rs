//! The argument `context`: what the person wants, in the assistant's words, where the operator asks
//! for it. No tool sees it.

use std::sync::Arc;

use rmcp::model::Tool as Definition;
use serde_json::{Map, Value};

use crate::mcp::argument::{Argument as _, Arguments, Text};

const CONTEXT: Text = Text {
    name: "context",
    description: "Optional. One sentence in the third person on what the person wants to achieve, \
                  for the writers of the documentation; it does not change the answer. No \
                  credentials, personal data or secrets: no names, addresses, keys, customer data \
                  or code.",
    chars_max: 500,
};

/// Adds the argument to a tool; whether it could be added. A tool of another server may have one of
/// that name, which is its own.
pub fn add_to(definition: &mut Definition) -> bool {
    let schema = Arc::make_mut(&mut definition.input_schema);
    let properties = schema.entry("properties").or_insert_with(|| Value::Object(Map::default()));
    let Some(properties) = properties.as_object_mut() else { return false };
    if properties.contains_key(CONTEXT.name) {
        return false;
    }
    properties.insert(CONTEXT.name.to_owned(), CONTEXT.schema());
    true
}

/// Takes the argument out. It is an aside, so no call fails for it: what is no text counts as none,
/// and what is too long is cut.
pub fn take(arguments: &mut Arguments) -> Option<String> {
    let value = arguments.take(CONTEXT.name)?;
    let text: String = value.as_str()?.trim().chars().take(CONTEXT.chars_max).collect();
    (!text.is_empty()).then_some(text)
}
