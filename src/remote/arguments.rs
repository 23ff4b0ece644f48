//! Their arguments, made of ours.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value};

use crate::config::remote_tool::{Piece, Source, Template, ToolConfig};
use crate::remote::fault::NoAnswer;

/// What stays as it is in an address: the unreserved characters of RFC 3986 §2.3.
const NOT_UNRESERVED: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The arguments that the other server is sent for these inputs of ours.
pub fn theirs(
    tool: &ToolConfig,
    ours: &Map<String, Value>,
) -> Result<Map<String, Value>, NoAnswer> {
    let mut theirs = Map::new();
    for (name, sources) in &tool.arguments {
        for source in sources {
            if let Some(value) = value_of(source, ours)? {
                theirs.insert(name.clone(), value);
                break;
            }
        }
    }
    Ok(theirs)
}

fn value_of(source: &Source, ours: &Map<String, Value>) -> Result<Option<Value>, NoAnswer> {
    match source {
        Source::Constant(value) => Ok(Some(value.clone())),
        Source::From { input, omit_when } => Ok(given(ours, input, omit_when).cloned()),
        Source::Template { template, omit_when } => {
            let text = fill(template, ours, omit_when)?;
            Ok(text.map(Value::String))
        }
    }
}

fn given<'a>(ours: &'a Map<String, Value>, input: &str, omit_when: &[String]) -> Option<&'a Value> {
    let is_omitted = |value: &Value| {
        value.is_null() || value.as_str().is_some_and(|text| omit_when.iter().any(|it| it == text))
    };
    ours.get(input).filter(|value| !is_omitted(value))
}

fn fill(
    template: &Template,
    ours: &Map<String, Value>,
    omit_when: &[String],
) -> Result<Option<String>, NoAnswer> {
    let first = template.0.first();
    let is_address = matches!(first, Some(Piece::Text(text)) if text.contains("://"));
    let mut filled = String::new();
    for piece in &template.0 {
        let input = match piece {
            Piece::Text(text) => {
                filled.push_str(text);
                continue;
            }
            Piece::Input(input) => input,
        };
        let Some(value) = given(ours, input, omit_when) else { return Ok(None) };
        let text = match value {
            Value::String(text) => text.clone(),
            Value::Number(_) | Value::Bool(_) => value.to_string(),
            Value::Null | Value::Array(_) | Value::Object(_) => {
                return Err(NoAnswer::Unusable(input.clone()));
            }
        };
        if is_address {
            // These mean another folder, and no escape changes that (RFC 3986 §5.2.4).
            if matches!(text.as_str(), "." | "..") {
                return Err(NoAnswer::Unusable(input.clone()));
            }
            filled.extend(utf8_percent_encode(&text, NOT_UNRESERVED));
        } else {
            filled.push_str(&text);
        }
    }
    Ok(Some(filled))
}
