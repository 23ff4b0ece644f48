//! The ids that headings get when their author gave none.
//!
//! They must equal those of the published site, or the addresses we cite would open a page at its
//! top: GitHub's rule for Markdown, Asciidoctor's rule with Antora's settings (no prefix, hyphen)
//! for AsciiDoc.

use std::collections::HashMap;

/// The id GitHub and most Markdown site generators give a heading.
pub fn github(heading: &str) -> String {
    heading
        .to_lowercase()
        .chars()
        .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'))
        .map(|c| if c == ' ' { '-' } else { c })
        .collect()
}

/// The id Asciidoctor gives a heading under Antora (`idprefix` empty, `idseparator` a hyphen).
pub fn asciidoctor(heading: &str) -> String {
    let mut id = String::with_capacity(heading.len());
    for c in heading.to_lowercase().chars() {
        match c {
            ' ' | '.' | '-' | '\t' | '\n' if id.is_empty() || id.ends_with('-') => {}
            ' ' | '.' | '-' | '\t' | '\n' => id.push('-'),
            c if c.is_alphanumeric() || c == '_' => id.push(c),
            _ => {}
        }
    }
    id.truncate(id.trim_end_matches('-').len());
    id
}

/// Keeps the ids of one page apart by numbering repeated ones.
#[derive(Default)]
pub struct Ids {
    seen: HashMap<String, usize>,
}

impl Ids {
    /// This id, or the next free one after it; the second of its kind gets `first_number`.
    pub fn unique(&mut self, id: String, first_number: usize) -> String {
        let mut candidate = id.clone();
        let mut number = self.seen.get(&id).copied().unwrap_or(first_number);
        while self.seen.contains_key(&candidate) {
            candidate = format!("{id}-{number}");
            number += 1;
        }
        // Remembering where counting stopped keeps a page of equal headings linear.
        self.seen.insert(id, number);
        self.seen.entry(candidate.clone()).or_insert(first_number);
        candidate
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn github_ids_keep_underscores_and_drop_punctuation() {
        assert_eq!(github("What's new?"), "whats-new");
        assert_eq!(github("kafka_api & TLS"), "kafka_api--tls");
    }

    #[test]
    fn asciidoctor_ids_squeeze_separators() {
        assert_eq!(asciidoctor("Configure the PVC: step 1."), "configure-the-pvc-step-1");
        assert_eq!(asciidoctor("cleanup.policy"), "cleanup-policy");
        assert_eq!(asciidoctor("log_cleanup_policy"), "log_cleanup_policy");
        assert_eq!(asciidoctor("  "), "");
    }

    #[test]
    fn repeated_ids_are_numbered() {
        let mut ids = Ids::default();
        assert_eq!(ids.unique("usage".into(), 1), "usage");
        assert_eq!(ids.unique("usage".into(), 1), "usage-1");
        assert_eq!(ids.unique("usage-1".into(), 1), "usage-1-1");
        assert_eq!(ids.unique("usage".into(), 1), "usage-2");
    }
}
