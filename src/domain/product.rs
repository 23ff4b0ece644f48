//! Which product a call came with, whatever version, platform or bridge it names.
//!
//! Clients say who they are in three places: in the request (`clientInfo`), in what they registered
//! or published about themselves, and in `User-Agent`. A product that people know is folded to one
//! name wherever it is seen. Of any other client only the registered name counts, since it belongs
//! to a client that somebody signed in with; so strangers cannot fill the reports with names.

/// The name of a client that gives no usable one.
pub const UNKNOWN: &str = "unknown";

/// The longest name that is kept, in characters.
const NAME_CHARS_MAX: usize = 40;

/// A product, and by which words it is known.
struct Product {
    name: &'static str,
    /// In any place of a name.
    words: &'static [&'static str],
    /// As its first word only: they mean something else in a sentence.
    first: &'static [&'static str],
}

const fn product(name: &'static str, words: &'static [&'static str]) -> Product {
    Product { name, words, first: &[] }
}

const fn by_first_word(name: &'static str, first: &'static [&'static str]) -> Product {
    Product { name, words: &[], first }
}

/// The more specific come first: "Cursor (via mcp-remote)" is Cursor, and "cursor-vscode" too.
const PRODUCTS: [Product; 31] = [
    product("Claude Code", &["claude code", "claudecode"]),
    product("Claude", &["claude", "anthropic"]),
    product("Codex", &["codex"]),
    product("ChatGPT", &["chatgpt", "openai mcp", "openai"]),
    product("Cursor", &["cursor"]),
    product("Windsurf", &["windsurf", "codeium"]),
    product("GitHub Copilot", &["copilot"]),
    product("VS Code", &["visual studio code", "vs code", "vscode"]),
    product("Visual Studio", &["visual studio", "visualstudio"]),
    product("Gemini CLI", &["gemini cli"]),
    product("Antigravity", &["antigravity"]),
    product("Gemini", &["gemini"]),
    product("JetBrains", &["jetbrains", "intellij", "pycharm", "goland", "webstorm"]),
    product("Perplexity", &["perplexity"]),
    product("Mistral", &["mistral", "le chat"]),
    product("Grok", &["grok"]),
    product("Cline", &["cline"]),
    product("Roo Code", &["roo code"]),
    product("Kiro", &["kiro"]),
    product("Amazon Q", &["amazon q"]),
    product("opencode", &["opencode"]),
    product("LibreChat", &["librechat"]),
    product("LM Studio", &["lm studio"]),
    product("Raycast", &["raycast"]),
    product("n8n", &["n8n"]),
    by_first_word("Zed", &["zed"]),
    by_first_word("Goose", &["goose"]),
    by_first_word("Continue", &["continue"]),
    by_first_word("Warp", &["warp"]),
    product("MCP Inspector", &["mcp inspector", "inspector client"]),
    product("mcp-remote", &["mcp remote"]),
];

/// The product that a text names, of those that people know.
pub fn known(text: &str) -> Option<&'static str> {
    let lower = text.to_lowercase();
    let words: Vec<_> =
        lower.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let line = format!(" {} ", words.join(" "));
    let names = |product: &&Product| {
        product.words.iter().any(|word| line.contains(&format!(" {word} ")))
            || product.first.iter().any(|word| words.first() == Some(word))
    };
    PRODUCTS.iter().find(names).map(|product| product.name)
}

/// What is known of a client.
#[derive(Clone, Copy, Debug, Default)]
pub struct Signs<'a> {
    /// The product that the request's `clientInfo` names.
    pub told: Option<&'static str>,
    /// The name it registered, or that its metadata document says.
    pub registered: Option<&'a str>,
    /// The host of its metadata document.
    pub publisher: Option<&'a str>,
    /// The product that its `User-Agent` names.
    pub agent: Option<&'static str>,
}

/// The product that a call is counted for.
///
/// The request itself comes first: one registration may serve several programs, as a bridge's does.
pub fn product_of(signs: Signs<'_>) -> String {
    let registered = signs.registered.and_then(known);
    let published = signs.publisher.and_then(known);
    let folded = signs.told.or(registered).or(published).or(signs.agent);
    let named = || signs.registered.and_then(bounded).or_else(|| signs.publisher.and_then(bounded));
    folded.map(str::to_owned).or_else(named).unwrap_or_else(|| UNKNOWN.to_owned())
}

/// A name in one line of bounded length; nothing when no letter or digit is in it.
fn bounded(name: &str) -> Option<String> {
    let plain: String = name.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let line = plain.split_whitespace().collect::<Vec<_>>().join(" ");
    let cut: String = line.chars().take(NAME_CHARS_MAX).collect();
    let cut = cut.trim_end().to_owned();
    cut.chars().any(char::is_alphanumeric).then_some(cut)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_products_are_folded_whatever_they_add() {
        for (text, expected) in [
            ("claude-code/2.1.3 (cli)", Some("Claude Code")),
            ("Claude Code (plugin:docs)", Some("Claude Code")),
            ("claude-ai", Some("Claude")),
            ("Claude-User", Some("Claude")),
            ("openai-mcp/1.0.0 (ChatGPT)", Some("ChatGPT")),
            ("codex-mcp-client", Some("Codex")),
            ("cursor-vscode", Some("Cursor")),
            ("Cursor (via mcp-remote 0.1.37)", Some("Cursor")),
            ("Visual Studio Code - Insiders", Some("VS Code")),
            ("GitHub-Copilot-for-JetBrains", Some("GitHub Copilot")),
            ("Visual-Studio", Some("Visual Studio")),
            ("gemini-cli-mcp-client", Some("Gemini CLI")),
            ("vscode.dev", Some("VS Code")),
            ("Zed", Some("Zed")),
            ("goose/1.2", Some("Goose")),
            ("mcp-remote-fallback-test", Some("mcp-remote")),
            ("inspector-client", Some("MCP Inspector")),
            ("Please continue", None),
            ("precursor", None),
            ("python-httpx/0.28", None),
            ("", None),
        ] {
            assert_eq!(known(text), expected, "{text}");
        }
    }

    #[test]
    fn the_request_speaks_before_the_registration_and_that_before_the_library() {
        let long = "x".repeat(100);
        for (told, registered, publisher, agent, expected) in [
            ("Cursor", "MCP CLI Proxy", "", "node", "Cursor"),
            ("editor", "Claude Code", "", "", "Claude Code"),
            ("", "", "vscode.dev", "", "VS Code"),
            ("", "My own agent", "", "claude-code/2", "Claude Code"),
            ("anything", "My  own\nagent", "", "node", "My own agent"),
            ("anything", "", "", "", UNKNOWN),
            ("", "\u{7}  --- ", "tool.example.com", "", "tool.example.com"),
            ("", "\u{7}", "", "", UNKNOWN),
            ("", &long, "", "", &long[..NAME_CHARS_MAX]),
        ] {
            let signs = Signs {
                told: known(told),
                registered: Some(registered),
                publisher: Some(publisher),
                agent: known(agent),
            };
            assert_eq!(product_of(signs), expected, "{told} {registered} {publisher} {agent}");
        }
        assert_eq!(product_of(Signs::default()), UNKNOWN);
    }
}
