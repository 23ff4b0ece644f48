//! One tool of another server: what it is offered as, and how its arguments are made of ours.

use serde_json::Value;

use crate::config::layers::ConfigError;
use crate::config::tables::Table;

/// Names that are tools of this server, now or in another version.
const OURS: [&str; 5] =
    ["read_page", "submit_documentation_feedback", "feedback_status", "whoami", "disconnect"];

/// The longest text of an input, in characters.
const CHARS_MAX: usize = 20_000;

/// A tool of ours that another server's can stand in for, or add to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// `ask_<product>_question`
    Ask,
    /// `search_docs`: one more source beside the local index.
    SearchDocs,
    /// `list_api_reference_pages`
    ListApiReferencePages,
    /// `search_api_reference`
    SearchApiReference,
    /// `get_api_reference_content`
    GetApiReferenceContent,
}

impl Place {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Ask,
        Self::SearchDocs,
        Self::ListApiReferencePages,
        Self::SearchApiReference,
        Self::GetApiReferenceContent,
    ];

    /// As the file writes it. Of `ask_<product>_question` it is the part that never changes.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ask => "ask",
            Self::SearchDocs => "search_docs",
            Self::ListApiReferencePages => "list_api_reference_pages",
            Self::SearchApiReference => "search_api_reference",
            Self::GetApiReferenceContent => "get_api_reference_content",
        }
    }

    /// The arguments that our tool takes and another server can be given.
    pub const fn inputs(self) -> &'static [&'static str] {
        match self {
            Self::Ask => &["question"],
            Self::SearchDocs => &["query", "limit"],
            Self::ListApiReferencePages => &["api", "url"],
            Self::SearchApiReference => &["query", "api", "type"],
            Self::GetApiReferenceContent => &["urls"],
        }
    }
}

/// What an input of a new tool is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InputKind {
    /// A text.
    Text,
    /// A whole number that is not negative.
    Number,
    /// True or false.
    Switch,
    /// A list of texts.
    Texts,
}

/// An input of a new tool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Input {
    /// Its key among the arguments.
    pub name: String,
    /// What it is, for the model.
    pub description: String,
    /// What it takes.
    pub kind: InputKind,
    /// Whether a call without it is refused.
    pub is_required: bool,
    /// The most characters of a text.
    pub chars_max: usize,
}

/// What a tool of another server appears as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Offered {
    /// A tool of ours, with our arguments.
    InPlaceOf(Place),
    /// A tool that only the other server has.
    AsNew {
        /// Its name here.
        name: String,
        /// Its arguments here.
        inputs: Vec<Input>,
    },
}

impl Offered {
    /// The name it has here; of the question tool, the part that never changes.
    pub fn name(&self) -> &str {
        match self {
            Self::InPlaceOf(place) => place.name(),
            Self::AsNew { name, .. } => name,
        }
    }

    /// The inputs of a new tool. One of ours has its own.
    pub fn inputs_of_new(&self) -> &[Input] {
        match self {
            Self::InPlaceOf(_) => &[],
            Self::AsNew { inputs, .. } => inputs,
        }
    }
}

/// Where the value of one of their arguments comes from.
#[derive(Clone, Debug, PartialEq)]
pub enum Source {
    /// It is one of our inputs under another name.
    From {
        /// Our input.
        input: String,
        /// Values that count as none.
        omit_when: Vec<String>,
    },
    /// It is made of our inputs.
    Template {
        /// What it looks like.
        template: Template,
        /// Values of an input that count as none; then the argument is left out.
        omit_when: Vec<String>,
    },
    /// It never changes.
    Constant(Value),
}

/// A text with places for inputs, written `{input}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template(pub Vec<Piece>);

/// A piece of a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// As it is.
    Text(String),
    /// The value of this input.
    Input(String),
}

/// A tool of another server, as it is offered here.
#[derive(Clone, Debug, PartialEq)]
pub struct ToolConfig {
    /// Its name there.
    pub remote: String,
    /// What it appears as here.
    pub offered: Offered,
    /// Its title here, where ours does not do.
    pub title: Option<String>,
    /// Its description here, where ours does not do.
    pub description: Option<String>,
    /// Each of their arguments that is sent, and where it comes from: the first source that has a
    /// value. Arguments of ours that no source names are dropped.
    pub arguments: Vec<(String, Vec<Source>)>,
}

impl ToolConfig {
    /// The names of our inputs.
    pub fn inputs(&self) -> Vec<&str> {
        match &self.offered {
            Offered::InPlaceOf(place) => place.inputs().to_vec(),
            Offered::AsNew { inputs, .. } => inputs.iter().map(|i| i.name.as_str()).collect(),
        }
    }
}

/// Reads one tool.
pub fn tool(mut table: Table) -> Result<ToolConfig, ConfigError> {
    let remote = table.read("remote", tool_name)?;
    let inputs = inputs(table.table("inputs")?)?;
    let offered = match table.read("as", offered_as)? {
        Offered::InPlaceOf(place) if !inputs.is_empty() => {
            let message = format!("{} has inputs of its own", place.name());
            return Err(table.error("inputs", message));
        }
        Offered::InPlaceOf(place) => Offered::InPlaceOf(place),
        Offered::AsNew { name, .. } => Offered::AsNew { name, inputs },
    };
    let mut config = ToolConfig {
        remote,
        offered,
        title: table.text("title")?,
        description: table.text("description")?,
        arguments: Vec::new(),
    };
    if matches!(config.offered, Offered::AsNew { .. }) {
        for (key, value) in [("title", &config.title), ("description", &config.description)] {
            if value.is_none() {
                return Err(table.error(key, "a new tool needs one"));
            }
        }
    }
    let mut arguments = table.table("arguments")?;
    for name in arguments.keys() {
        let alternatives = arguments.tables(&name)?;
        let sources = alternatives.into_iter().map(|source| self::source(source, &config.inputs()));
        config.arguments.push((name, sources.collect::<Result<_, _>>()?));
    }
    table.finish()?;
    Ok(config)
}

/// MCP 2026-07-28, Tools: what a name may have. Also fit for the header that repeats it.
fn tool_name(text: &str) -> Result<String, String> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_.-/".contains(c);
    if (1..=128).contains(&text.len()) && text.chars().all(is_plain) {
        Ok(text.to_owned())
    } else {
        Err(format!("{text:?} is no name of a tool"))
    }
}

fn offered_as(text: &str) -> Result<Offered, String> {
    if let Some(place) = Place::ALL.into_iter().find(|place| place.name() == text) {
        return Ok(Offered::InPlaceOf(place));
    }
    let is_ask = text.starts_with("ask_") && text.ends_with("_question");
    if OURS.contains(&text) || is_ask {
        return Err(format!("{text} is a tool of this server; ask stands for the question tool"));
    }
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_-".contains(c);
    if (1..=64).contains(&text.len()) && text.chars().all(is_plain) {
        Ok(Offered::AsNew { name: text.to_owned(), inputs: Vec::new() })
    } else {
        Err(format!("{text:?} is no name of a tool: 1 to 64 letters, digits, - and _"))
    }
}

fn inputs(mut table: Table) -> Result<Vec<Input>, ConfigError> {
    let mut inputs = Vec::new();
    for name in table.keys() {
        if tool_name(&name).is_err() {
            return Err(table.error(&name, "it is no name of an argument"));
        }
        let mut input = table.table(&name)?;
        inputs.push(Input {
            name,
            description: input.required("description")?,
            kind: input.read_or("type", "text", input_kind)?,
            is_required: input.switch("required")?.unwrap_or(false),
            chars_max: input.number("max_chars", 1, CHARS_MAX)?.unwrap_or(2_000),
        });
        input.finish()?;
    }
    Ok(inputs)
}

fn input_kind(text: &str) -> Result<InputKind, String> {
    match text {
        "text" => Ok(InputKind::Text),
        "number" => Ok(InputKind::Number),
        "switch" => Ok(InputKind::Switch),
        "texts" => Ok(InputKind::Texts),
        _ => Err(format!("{text:?} is none of text, number, switch, texts")),
    }
}

fn source(mut table: Table, inputs: &[&str]) -> Result<Source, ConfigError> {
    let known = |input: &str| {
        let complain = || format!("there is no input {input:?}; there are: {}", inputs.join(", "));
        if inputs.contains(&input) { Ok(()) } else { Err(complain()) }
    };
    let from = table.text("from")?;
    let template = table.text("template")?;
    let constant = table.json("value")?;
    let omit_when = table.texts("omit_when")?;
    let source = match (from, template, constant) {
        (Some(input), None, None) => {
            known(&input).map_err(|message| table.own_error(message))?;
            Source::From { input, omit_when }
        }
        (None, Some(text), None) => {
            let template = template_of(&text).map_err(|message| table.own_error(message))?;
            for piece in &template.0 {
                if let Piece::Input(input) = piece {
                    known(input).map_err(|message| table.own_error(message))?;
                }
            }
            Source::Template { template, omit_when }
        }
        (None, None, Some(value)) if omit_when.is_empty() => Source::Constant(value),
        _ => {
            let message = "it must have one of from, template and value, the first two perhaps \
                 with omit_when";
            return Err(table.own_error(message));
        }
    };
    table.finish()?;
    Ok(source)
}

fn template_of(text: &str) -> Result<Template, String> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        let (input, behind) = after.split_once('}').ok_or("a { is never closed")?;
        if !before.is_empty() {
            pieces.push(Piece::Text(before.to_owned()));
        }
        pieces.push(Piece::Input(input.to_owned()));
        rest = behind;
    }
    if !rest.is_empty() {
        pieces.push(Piece::Text(rest.to_owned()));
    }
    if pieces.iter().any(|piece| matches!(piece, Piece::Input(_))) {
        Ok(Template(pieces))
    } else {
        Err("it has no {input} in it; what never changes is a value".into())
    }
}
