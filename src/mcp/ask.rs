//! `ask_<product>_question`: the name under which other documentation servers offer their search.
//!
//! Prompts and habits carry that name, so it is always offered. Here the local index answers, in
//! the shape of `search_docs`.

use rmcp::model::{JsonObject, Tool as Definition};

use crate::docs::library::{Library, SearchQuery};
use crate::mcp::argument::{Arguments, Ignored, Text, input_schema};
use crate::mcp::reply::{Failure, Reply};
use crate::mcp::sections::{self, Sections};
use crate::mcp::tools;

/// The longest product part of the name. Some clients prefix tool names with the server's and allow
/// 64 characters in all.
const SLUG_CHARS_MAX: usize = 32;

/// The most sections of an answer.
pub const SECTIONS_MAX: usize = 8;

/// The most characters of an answer.
pub const CHARS_MAX: usize = 12_000;

const QUESTION: Text =
    Text { name: "question", description: "The question, in plain words.", chars_max: 2_000 };

const TOP_K: Ignored = Ignored {
    name: "top_k",
    description: "Accepted for compatibility and ignored: the best sections are returned.",
};

/// How `tools/list` shows it.
pub fn definition(product: &str) -> Definition {
    let description = format!(
        "Answers a question about {product} from its documentation: returns the sections that fit \
         best, each with its text and the address to cite. Write the answer from them, and cite \
         the addresses."
    );
    Definition::new(name(product), description, input_schema(&[&QUESTION], &[&TOP_K]))
        .with_title(format!("Ask a question about {product}"))
        .with_output_schema::<Sections>()
        .with_annotations(tools::reads_only())
}

/// Answers a call.
pub fn call(library: &Library, arguments: &Arguments) -> Result<Reply, Failure> {
    let text = question(arguments)?;
    let query = SearchQuery { text, limit: SECTIONS_MAX, max_chars: CHARS_MAX };
    sections::answer(library, &query)
}

/// The question of a call.
pub fn question(arguments: &Arguments) -> Result<&str, Failure> {
    QUESTION.required(arguments)
}

/// What another server can be asked with.
pub fn inputs(arguments: &Arguments) -> Result<JsonObject, Failure> {
    let question = question(arguments)?;
    Ok(JsonObject::from_iter([(QUESTION.name.to_owned(), question.into())]))
}

/// The product as it can stand in a tool name, which is `[A-Za-z0-9_.-]` (MCP 2026-07-28, Tools).
fn name(product: &str) -> String {
    let lower = product.to_lowercase();
    let words = lower.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let slug: String = words.collect::<Vec<_>>().join("_").chars().take(SLUG_CHARS_MAX).collect();
    match slug.trim_end_matches('_') {
        // A product written in another alphabet leaves nothing.
        "" => "ask_documentation_question".to_owned(),
        slug => format!("ask_{slug}_question"),
    }
}

#[cfg(test)]
mod tests {
    use super::name;

    #[test]
    fn a_product_of_any_spelling_becomes_a_tool_name() {
        for (product, expected) in [
            ("Redpanda", "ask_redpanda_question"),
            ("Acme Cloud 2", "ask_acme_cloud_2_question"),
            (" C++/CLI -- Tools! ", "ask_c_cli_tools_question"),
            ("Straße", "ask_stra_e_question"),
            ("日本語", "ask_documentation_question"),
            ("", "ask_documentation_question"),
            (&"x".repeat(200), &format!("ask_{}_question", "x".repeat(32))),
        ] {
            assert_eq!(name(product), expected, "{product:?}");
        }
    }
}
