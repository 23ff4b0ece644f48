//! A tool's arguments: declared once, so that the schema and the check cannot part ways.
//!
//! What fails here goes back to the model as a tool error that names the argument and its bounds
//! (MCP 2026-07-28, Tools: Error Handling). Unknown arguments are ignored, `null` counts as left
//! out, and the argument's own text is never repeated.

use rmcp::model::JsonObject;
use serde_json::{Value, json};

use crate::mcp::reply::Failure;

/// What a client sent as `arguments`.
#[derive(Debug, Default)]
pub struct Arguments(JsonObject);

impl Arguments {
    /// Takes the arguments as they came.
    pub fn new(presented: JsonObject) -> Self {
        Self(presented)
    }

    /// Takes the value under a name out.
    pub fn take(&mut self, name: &str) -> Option<Value> {
        self.0.remove(name)
    }

    /// The value under a name; `null` is none.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }
}

/// An argument, as its tool's input schema shows it.
pub trait Argument {
    /// The key among the arguments.
    fn name(&self) -> &'static str;

    /// Its JSON Schema.
    fn schema(&self) -> Value;
}

/// The input schema of a tool: JSON Schema 2020-12, with no reference to follow.
pub fn input_schema(required: &[&dyn Argument], optional: &[&dyn Argument]) -> JsonObject {
    let names: Vec<_> = required.iter().map(|argument| argument.name()).collect();
    let properties: JsonObject = required
        .iter()
        .chain(optional)
        .map(|argument| (argument.name().to_owned(), argument.schema()))
        .collect();
    let mut schema = JsonObject::new();
    schema.insert("$schema".to_owned(), json!("https://json-schema.org/draft/2020-12/schema"));
    schema.insert("type".to_owned(), json!("object"));
    schema.insert("properties".to_owned(), Value::Object(properties));
    if !names.is_empty() {
        schema.insert("required".to_owned(), json!(names));
    }
    schema
}

/// A text of limited length.
#[derive(Debug)]
pub struct Text {
    /// The key among the arguments.
    pub name: &'static str,
    /// What it is, for the model.
    pub description: &'static str,
    /// The most characters (Unicode scalar values, as JSON Schema counts them).
    pub chars_max: usize,
}

impl Argument for Text {
    fn name(&self) -> &'static str {
        self.name
    }

    fn schema(&self) -> Value {
        json!({
            "type": "string",
            "description": self.description,
            "minLength": 1,
            "maxLength": self.chars_max,
        })
    }
}

impl Text {
    /// Reads a text that must be there, without the white space around it.
    pub fn required<'a>(&self, arguments: &'a Arguments) -> Result<&'a str, Failure> {
        self.optional(arguments)?.ok_or_else(|| {
            Failure::Refused(format!(
                "The argument `{}` is missing or empty. Give a text of 1 to {} characters.",
                self.name, self.chars_max
            ))
        })
    }

    /// Reads a text that may be left out. Models fill in what they do not need with an empty text,
    /// so that counts as left out too.
    pub fn optional<'a>(&self, arguments: &'a Arguments) -> Result<Option<&'a str>, Failure> {
        let Some(value) = arguments.get(self.name) else { return Ok(None) };
        let Some(text) = value.as_str() else {
            return Err(Failure::Refused(format!(
                "The argument `{}` must be a text (a JSON string).",
                self.name
            )));
        };
        let text = text.trim();
        let chars = text.chars().count();
        if chars > self.chars_max {
            return Err(Failure::Refused(format!(
                "The argument `{}` has {chars} characters; at most {} are allowed. Shorten it.",
                self.name, self.chars_max
            )));
        }
        Ok(Some(text).filter(|text| !text.is_empty()))
    }
}

/// A few texts of limited length.
#[derive(Debug)]
pub struct Texts {
    /// The key among the arguments.
    pub name: &'static str,
    /// What they are, for the model.
    pub description: &'static str,
    /// The most texts.
    pub items_max: usize,
    /// The most characters of each (Unicode scalar values).
    pub chars_max: usize,
}

impl Argument for Texts {
    fn name(&self) -> &'static str {
        self.name
    }

    fn schema(&self) -> Value {
        json!({
            "type": "array",
            "description": self.description,
            "items": { "type": "string", "minLength": 1, "maxLength": self.chars_max },
            "minItems": 1,
            "maxItems": self.items_max,
        })
    }
}

impl Texts {
    /// Reads the texts, of which there must be one. A single text that is no list stands for a
    /// list of one: models write that, and it can mean nothing else.
    pub fn required<'a>(&self, arguments: &'a Arguments) -> Result<Vec<&'a str>, Failure> {
        let complain = || {
            Failure::Refused(format!(
                "The argument `{}` must be a list of 1 to {} texts (JSON strings), each of 1 to {} \
                 characters.",
                self.name, self.items_max, self.chars_max
            ))
        };
        let items = match arguments.get(self.name) {
            Some(Value::Array(items)) => items.as_slice(),
            Some(one @ Value::String(_)) => std::slice::from_ref(one),
            Some(_) | None => return Err(complain()),
        };
        if items.is_empty() || items.len() > self.items_max {
            return Err(complain());
        }
        let text = |item: &'a Value| {
            let text = item.as_str().map(str::trim).filter(|text| !text.is_empty());
            text.filter(|text| text.chars().count() <= self.chars_max).ok_or_else(complain)
        };
        items.iter().map(text).collect()
    }
}

/// A whole number between two bounds, with a value for when it is left out.
#[derive(Debug)]
pub struct Number {
    /// The key among the arguments.
    pub name: &'static str,
    /// What it is, for the model.
    pub description: &'static str,
    /// The least value.
    pub min: usize,
    /// The greatest value.
    pub max: usize,
    /// The value when the argument is left out.
    pub default: usize,
}

impl Argument for Number {
    fn name(&self) -> &'static str {
        self.name
    }

    fn schema(&self) -> Value {
        json!({
            "type": "integer",
            "description": self.description,
            "minimum": self.min,
            "maximum": self.max,
            "default": self.default,
        })
    }
}

impl Number {
    /// Reads the number. `8.0` is a whole number too, as JSON Schema sees it.
    pub fn read(&self, arguments: &Arguments) -> Result<usize, Failure> {
        let Some(value) = arguments.get(self.name) else { return Ok(self.default) };
        whole_number(value).filter(|number| (self.min..=self.max).contains(number)).ok_or_else(
            || {
                Failure::Refused(format!(
                    "The argument `{}` must be a whole number from {} to {}.",
                    self.name, self.min, self.max
                ))
            },
        )
    }
}

/// The decimal digits decide, so that no value is rounded into the bounds.
fn whole_number(value: &Value) -> Option<usize> {
    let digits = value.as_number()?.to_string();
    digits.strip_suffix(".0").unwrap_or(&digits).parse().ok()
}

/// One of a few words, each standing for a value.
#[derive(Debug)]
pub struct Choice<T: 'static> {
    /// The key among the arguments.
    pub name: &'static str,
    /// What it is, for the model.
    pub description: &'static str,
    /// What can be chosen.
    pub options: &'static [T],
    /// The word for an option.
    pub word: fn(T) -> &'static str,
}

impl<T: Copy> Argument for Choice<T> {
    fn name(&self) -> &'static str {
        self.name
    }

    fn schema(&self) -> Value {
        json!({ "type": "string", "description": self.description, "enum": self.words() })
    }
}

impl<T: Copy> Choice<T> {
    /// Reads the choice, which must be there.
    pub fn required(&self, arguments: &Arguments) -> Result<T, Failure> {
        let presented = arguments.get(self.name).and_then(Value::as_str);
        let chosen = |option: &T| presented == Some((self.word)(*option));
        self.options.iter().copied().find(chosen).ok_or_else(|| {
            let words = self.words().join(", ");
            Failure::Refused(format!("The argument `{}` must be one of: {words}.", self.name))
        })
    }

    /// Reads a choice that may be left out. An empty text counts as left out.
    pub fn optional(&self, arguments: &Arguments) -> Result<Option<T>, Failure> {
        match arguments.get(self.name).map(Value::as_str) {
            None => Ok(None),
            Some(Some(text)) if text.trim().is_empty() => Ok(None),
            Some(_) => self.required(arguments).map(Some),
        }
    }

    fn words(&self) -> Vec<&'static str> {
        self.options.iter().map(|option| (self.word)(*option)).collect()
    }
}

/// An argument that clients of other servers send and this one has no use for.
#[derive(Debug)]
pub struct Ignored {
    /// The key among the arguments.
    pub name: &'static str,
    /// What it is, for the model.
    pub description: &'static str,
}

impl Argument for Ignored {
    fn name(&self) -> &'static str {
        self.name
    }

    fn schema(&self) -> Value {
        json!({ "type": "number", "description": self.description })
    }
}
