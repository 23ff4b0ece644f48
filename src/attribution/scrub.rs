//! Secrets that somebody pasted into a text are taken out before it is stored.
//!
//! Only what has the shape of a credential goes: documentation is full of long hashes, digests and
//! identifiers, and a report about them must stay readable. What is matched by a word before it, a
//! password in a setting say, goes only when it looks like chance and not like a word or a
//! placeholder. `docs/privacy.md` lists the shapes.

use std::sync::LazyLock;

use regex::{Captures, Regex};

/// A text without the secrets that were recognised in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scrubbed {
    /// The text; in the place of each secret stands what kind it was.
    pub text: String,
    /// How many were taken out.
    pub removed: usize,
}

/// A kind of credential. Of what `pattern` matches, the group `secret` goes, else all of it.
struct Shape {
    kind: &'static str,
    pattern: Regex,
    /// Whether this text is one, of which the pattern says only where it stands.
    is_secret: fn(&str) -> bool,
}

/// In this order: a key in lines before what could be seen in a line of it.
static SHAPES: LazyLock<Vec<Shape>> = LazyLock::new(|| {
    let shape = |kind, pattern: &str, is_secret| Shape {
        kind,
        pattern: Regex::new(pattern).expect("the patterns are tried by the tests below"),
        is_secret,
    };
    vec![
        // With its end, or as far as its lines go. The head alone is a word about keys.
        shape("private key", PRIVATE_KEY, always),
        // JWS and JWE: a JSON object in base64url begins so.
        shape(
            "token",
            r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*){0,3}",
            always,
        ),
        // Ours (ghr_, ghc_), GitHub's, GitLab's.
        shape("token", r"gh[cprousa]_[A-Za-z0-9_-]{20,}", always),
        shape("token", r"github_pat_[A-Za-z0-9_]{20,}", always),
        shape("token", r"\bglpat-[A-Za-z0-9_-]{20,}", always),
        // Slack, npm, PyPI, Google's access tokens.
        shape("token", r"\bxox[a-z]-[A-Za-z0-9-]{10,}", always),
        shape("token", r"\bnpm_[A-Za-z0-9]{36}", always),
        shape("token", r"\bpypi-[A-Za-z0-9_-]{50,}", always),
        shape("token", r"\bya29\.[A-Za-z0-9_-]{20,}", always),
        // OpenAI, Anthropic and others; Stripe; AWS; Google; webhooks.
        shape("key", r"\bsk-[A-Za-z0-9_-]{20,}", has_digit),
        shape("key", r"\b[rs]k_(?:live|test)_[A-Za-z0-9]{16,}", always),
        shape("key", r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b", always),
        shape("key", r"\bAIza[A-Za-z0-9_-]{35}", always),
        shape("key", r"\bwhsec_[A-Za-z0-9+/]{24,}=*", always),
        // The header, with any scheme, and what is written after "Bearer" anywhere.
        shape("credential", AUTHORIZATION, looks_random),
        shape("token", r"(?i)\bbearer\s+(?<secret>[A-Za-z0-9._~+/-]{16,}=*)", looks_random),
        // scheme://user:password@host
        shape("password", r"\b[A-Za-z][A-Za-z0-9+.-]*://[^\s/:@]*:(?<secret>[^\s/@]+)@", always),
        // api_key: …, client_secret=…, "password": "…"
        shape("credential", ASSIGNMENT, looks_random),
    ]
});

const AUTHORIZATION: &str = concat!(
    r#"(?i)\bauthorization\b["']?\s*[:=]\s*["']?(?:[a-z]+\s+)?"#,
    r"(?<secret>[A-Za-z0-9._~+/=-]{8,})",
);

const PRIVATE_KEY: &str = concat!(
    r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----",
    r"(?:(?:[^-]|-[^-])*-----END [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----",
    r"|(?:(?:\s|\\n)*[A-Za-z0-9+/=]{16,})+)",
);

const ASSIGNMENT: &str = concat!(
    r#"(?i)(?:api[_-]?key|client[_-]?secret|secret[_-]?(?:access[_-]?)?key|"#,
    r#"(?:access|refresh|auth|id)[_-]?token|passw(?:or)?d)["']?\s*[:=]\s*["']?"#,
    r#"(?<secret>[^\s"'&,;<>{}$\[\]]{12,})"#,
);

const fn always(_: &str) -> bool {
    true
}

fn has_digit(text: &str) -> bool {
    text.bytes().any(|byte| byte.is_ascii_digit())
}

/// Letters and digits together, or capitals amid small letters: no word of a sentence, no
/// placeholder.
fn looks_random(text: &str) -> bool {
    let has_letter = text.bytes().any(|byte| byte.is_ascii_alphabetic());
    let has_small = text.bytes().any(|byte| byte.is_ascii_lowercase());
    let later_capital = text.bytes().skip(1).any(|byte| byte.is_ascii_uppercase());
    (has_letter && has_digit(text)) || (has_small && later_capital)
}

/// Takes the secrets out of a text.
pub fn scrub(text: &str) -> Scrubbed {
    let mut scrubbed = Scrubbed { text: text.to_owned(), removed: 0 };
    for shape in &*SHAPES {
        let mut removed = 0;
        let replace = |found: &Captures<'_>| {
            let whole = found.get(0).expect("a match has a text");
            let secret = found.name("secret").unwrap_or(whole);
            if !(shape.is_secret)(secret.as_str()) {
                return whole.as_str().to_owned();
            }
            removed += 1;
            let before = &scrubbed.text[whole.start()..secret.start()];
            let after = &scrubbed.text[secret.end()..whole.end()];
            format!("{before}[removed: {}]{after}", shape.kind)
        };
        let left = shape.pattern.replace_all(&scrubbed.text, replace).into_owned();
        scrubbed = Scrubbed { text: left, removed: scrubbed.removed + removed };
    }
    scrubbed
}

#[cfg(test)]
mod tests;
