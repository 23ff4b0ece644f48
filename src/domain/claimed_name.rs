//! A client that calls itself by a name people trust, and answers somewhere else.
//!
//! Anyone can register under any name, so a name alone says nothing; but people read it first. A
//! well-known name is checked against where the code goes and who published the client. Names are
//! compared by what they look like, not by how they are spelled (Unicode TS 39 §4).

use unicode_security::confusable_detection::skeleton;
use url::Url;

use crate::domain::redirect_uri::Target;

/// A maker whose products' names people trust.
struct Vendor {
    /// As a warning calls it.
    name: &'static str,
    /// What names of its products contain, folded.
    words: &'static [&'static str],
    /// Where its products are answered; each with all below it.
    domains: &'static [&'static str],
    /// Redirect URIs with a scheme of its own begin like this.
    schemes: &'static [&'static str],
}

const fn vendor(
    name: &'static str,
    words: &'static [&'static str],
    domains: &'static [&'static str],
) -> Vendor {
    Vendor { name, words, domains, schemes: &[] }
}

/// Assistants and editors that connect to documentation servers.
const VENDORS: [Vendor; 10] = [
    vendor("Claude", &["claude", "anthropic"], &["claude.ai", "claude.com", "anthropic.com"]),
    vendor("ChatGPT", &["chatgpt", "openai", "codex"], &["chatgpt.com", "openai.com"]),
    Vendor {
        name: "Cursor",
        words: &["cursor"],
        domains: &["cursor.com", "cursor.sh"],
        schemes: &["cursor://"],
    },
    Vendor {
        name: "Visual Studio Code",
        words: &["visual studio", "visualstudio", "vs code", "vscode"],
        domains: &["vscode.dev", "visualstudio.com", "microsoft.com"],
        schemes: &["vscode://", "vscode-insiders://"],
    },
    vendor("GitHub", &["github", "copilot"], &["github.com", "microsoft.com", "vscode.dev"]),
    vendor("Gemini", &["gemini", "google"], &["google.com", "antigravity.google"]),
    vendor("Mistral", &["mistral", "le chat"], &["mistral.ai"]),
    vendor("Perplexity", &["perplexity"], &["perplexity.ai"]),
    vendor("Windsurf", &["windsurf", "codeium"], &["windsurf.com", "codeium.com"]),
    vendor("Grok", &["grok"], &["grok.com", "x.ai"]),
];

/// Where a client is answered and who stands behind it.
#[derive(Clone, Copy, Debug)]
pub struct Evidence<'a> {
    /// The redirect URI of the request.
    pub redirect_uri: &'a str,
    /// What kind of place that is; one on the person's own machine proves nothing either way.
    pub target: Target,
    /// The host of the client's metadata document, if it has one.
    pub publisher: Option<&'a str>,
}

/// Whose name a client bears without anything that speaks for it.
pub fn borrowed_name(client_name: &str, evidence: Evidence<'_>) -> Option<&'static str> {
    let name = folded(client_name);
    let bears = |vendor: &&Vendor| {
        vendor.words.iter().any(|word| {
            let word = folded(word);
            name.contains(&word) || name.replace(' ', "").contains(&word)
        })
    };
    let borne: Vec<_> = VENDORS.iter().filter(bears).collect();
    // "GitHub Copilot for Visual Studio Code" bears two; either may answer.
    if borne.iter().any(|vendor| vendor.is_shown_by(evidence)) {
        return None;
    }
    borne.first().map(|vendor| vendor.name)
}

impl Vendor {
    fn is_shown_by(&self, evidence: Evidence<'_>) -> bool {
        let is_ours = |host: &str| self.domains.iter().any(|domain| is_below(host, domain));
        if let Some(publisher) = evidence.publisher {
            return is_ours(publisher);
        }
        if evidence.target == Target::Loopback {
            return true;
        }
        if self.schemes.iter().any(|scheme| evidence.redirect_uri.starts_with(scheme)) {
            return true;
        }
        let url = Url::parse(evidence.redirect_uri).ok();
        url.as_ref().and_then(Url::host_str).is_some_and(is_ours)
    }
}

fn is_below(host: &str, domain: &str) -> bool {
    host.strip_suffix(domain).is_some_and(|above| above.is_empty() || above.ends_with('.'))
}

/// What a reader sees: look-alikes made one, letter case and everything between words gone.
fn folded(name: &str) -> String {
    let seen: String = skeleton(name).flat_map(char::to_lowercase).collect();
    // Once more, because lower-casing brings letters that have look-alikes of their own.
    // A capital I has become an l by now, so the others must follow it.
    let seen = skeleton(&seen).collect::<String>().replace('i', "l");
    let words = seen.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn web(redirect_uri: &str) -> Evidence<'_> {
        Evidence { redirect_uri, target: Target::Web, publisher: None }
    }

    const EVIL: Evidence<'static> = Evidence {
        redirect_uri: "https://claude.ai.evil.example/cb",
        target: Target::Web,
        publisher: None,
    };

    #[test]
    fn a_borrowed_name_is_seen_however_it_is_spelled() {
        for (name, vendor) in [
            ("Claude", "Claude"),
            ("CLAUDE Desktop", "Claude"),
            ("Cl\u{0430}ude", "Claude"),
            ("CIaude", "Claude"),
            ("C l-a.u_d e", "Claude"),
            ("Сlаudе", "Claude"),
            ("Claude\u{0301}", "Claude"),
            ("The new ChatGPT connector", "ChatGPT"),
            ("ChatGРT", "ChatGPT"),
            ("OpenAI", "ChatGPT"),
            ("0penAI", "ChatGPT"),
            ("Visual Studio Code - Insiders", "Visual Studio Code"),
            ("VSCode", "Visual Studio Code"),
            ("Cursor", "Cursor"),
            ("Gemini CLI", "Gemini"),
            ("GitHub Copilot", "GitHub"),
        ] {
            assert_eq!(borrowed_name(name, EVIL), Some(vendor), "{name}");
        }
    }

    #[test]
    fn whose_name_it_is_may_bear_it() {
        for (name, redirect_uri) in [
            ("Claude", "https://claude.ai/api/mcp/auth_callback"),
            ("Claude", "https://claude.com/api/mcp/auth_callback"),
            ("ChatGPT", "https://chatgpt.com/connector_platform_oauth_redirect"),
            ("Cursor", "cursor://anysphere.cursor-mcp/oauth/callback"),
            ("Cursor", "https://www.cursor.com/agents/mcp/oauth/callback"),
            ("Visual Studio Code", "https://vscode.dev/redirect"),
            ("GitHub Copilot", "https://vscode.dev/redirect"),
            ("Gemini Enterprise", "https://vertexaisearch.cloud.google.com/oauth-redirect"),
            ("Our internal tool", "https://evil.example/cb"),
        ] {
            assert_eq!(borrowed_name(name, web(redirect_uri)), None, "{name}");
        }
    }

    #[test]
    fn a_program_on_the_own_machine_proves_nothing_but_its_publisher_does() {
        let on_loopback = |publisher| Evidence {
            redirect_uri: "http://127.0.0.1:5000/callback",
            target: Target::Loopback,
            publisher,
        };
        assert_eq!(borrowed_name("Claude Code", on_loopback(None)), None);
        assert_eq!(borrowed_name("Claude Code", on_loopback(Some("claude.ai"))), None);
        let borrowed = borrowed_name("Claude Code", on_loopback(Some("evil.example")));
        assert_eq!(borrowed, Some("Claude"));
        let elsewhere = Evidence { publisher: Some("evil.example"), ..web("https://claude.ai/cb") };
        assert_eq!(borrowed_name("Claude", elsewhere), Some("Claude"));
    }
}
