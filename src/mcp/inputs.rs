//! Arguments of tools that only other servers have: declared by the settings, and checked as
//! strictly as our own before anything leaves the house.

use rmcp::model::JsonObject;
use serde_json::{Value, json};

use crate::config::remote_tool::{Input, InputKind};
use crate::mcp::argument::Arguments;
use crate::mcp::reply::Failure;

/// The most items of a list.
const ITEMS_MAX: usize = 10;

/// The input schema of a tool with these inputs.
pub fn schema(inputs: &[Input]) -> JsonObject {
    let property = |input: &Input| {
        let mut schema = match input.kind {
            InputKind::Text => {
                json!({ "type": "string", "minLength": 1, "maxLength": input.chars_max })
            }
            InputKind::Number => json!({ "type": "integer", "minimum": 0 }),
            InputKind::Switch => json!({ "type": "boolean" }),
            InputKind::Texts => json!({
                "type": "array",
                "items": { "type": "string", "minLength": 1, "maxLength": input.chars_max },
                "minItems": 1,
                "maxItems": ITEMS_MAX,
            }),
        };
        schema["description"] = json!(input.description);
        (input.name.clone(), schema)
    };
    let properties: JsonObject = inputs.iter().map(property).collect();
    let required = inputs.iter().filter(|input| input.is_required);
    let required: Vec<_> = required.map(|input| input.name.as_str()).collect();
    let mut schema = JsonObject::new();
    schema.insert("$schema".to_owned(), json!("https://json-schema.org/draft/2020-12/schema"));
    schema.insert("type".to_owned(), json!("object"));
    schema.insert("properties".to_owned(), Value::Object(properties));
    if !required.is_empty() {
        schema.insert("required".to_owned(), json!(required));
    }
    schema
}

/// Reads the inputs of a call. What the tool does not declare stays behind.
pub fn read(inputs: &[Input], arguments: &Arguments) -> Result<JsonObject, Failure> {
    let mut read = JsonObject::new();
    for input in inputs {
        // A model fills in what it does not need with an empty text or list.
        let presented = arguments.get(&input.name).filter(|value| !is_empty(value));
        match presented {
            Some(value) => {
                let value = fit(input, value).ok_or_else(|| refusal(input))?;
                read.insert(input.name.clone(), value);
            }
            None if input.is_required => return Err(refusal(input)),
            None => {}
        }
    }
    Ok(read)
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::String(text) => text.trim().is_empty(),
        Value::Array(items) => items.is_empty(),
        _ => false,
    }
}

fn fit(input: &Input, value: &Value) -> Option<Value> {
    let text = |value: &Value| {
        let text = value.as_str()?.trim();
        let fits = (1..=input.chars_max).contains(&text.chars().count());
        fits.then(|| json!(text))
    };
    match input.kind {
        InputKind::Text => text(value),
        InputKind::Number => value.as_u64().map(Value::from),
        InputKind::Switch => value.as_bool().map(Value::from),
        InputKind::Texts => {
            let items = value.as_array().filter(|items| items.len() <= ITEMS_MAX)?;
            items.iter().map(text).collect::<Option<Vec<_>>>().map(Value::from)
        }
    }
}

fn refusal(input: &Input) -> Failure {
    let chars = input.chars_max;
    let wanted = match input.kind {
        InputKind::Text => format!("a text of 1 to {chars} characters"),
        InputKind::Number => "a whole number that is not negative".to_owned(),
        InputKind::Switch => "true or false".to_owned(),
        InputKind::Texts => {
            format!("a list of 1 to {ITEMS_MAX} texts, each of 1 to {chars} characters")
        }
    };
    let must = if input.is_required { "must be" } else { "may be left out, or must be" };
    Failure::Refused(format!("The argument `{}` {must} {wanted}.", input.name))
}
