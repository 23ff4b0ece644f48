//! Words of which people type one and documentation has the other.
//!
//! General English of computing, of no one product: which words a product has for its things is
//! for its documentation to say.

use std::{collections::HashMap, sync::LazyLock};

use super::tokens;

/// Words that may stand for each other. A word may be in several groups; groups do not join.
const GROUPS: &[&[&str]] = &[
    // Short for.
    &["admin", "administrator"],
    &["app", "application"],
    &["arg", "argument"],
    &["auth", "authn", "authentication"],
    &["auth", "authz", "authorization"],
    &["az", "zone"],
    &["cert", "certificate"],
    &["config", "configuration"],
    &["creds", "credentials"],
    &["db", "database"],
    &["dir", "directory", "folder"],
    &["env", "environment"],
    &["golang", "go"],
    &["js", "javascript"],
    &["k8s", "kubernetes"],
    &["lb", "loadbalancer"],
    &["mac", "macos"],
    &["msg", "message"],
    &["org", "organization", "organisation"],
    &["param", "parameter"],
    &["perf", "performance"],
    &["perms", "permissions"],
    &["postgres", "postgresql"],
    &["pvc", "persistentvolumeclaim"],
    &["pv", "persistentvolume"],
    &["ram", "memory"],
    &["repo", "repository"],
    &["spec", "specification"],
    &["ssl", "tls", "https"],
    // Spelt otherwise.
    &["analyse", "analyze"],
    &["authorise", "authorize"],
    &["centre", "center"],
    &["colour", "color"],
    &["licence", "license"],
    &["optimise", "optimize"],
    // Much the same.
    &["allow", "permit", "grant"],
    &["accident", "mistake"],
    &["archive", "bundle", "zip"],
    &["bad", "invalid"],
    &["behind", "lag"],
    &["begin", "start"],
    &["bucket", "storage"],
    &["cancel", "abort", "stop"],
    &["change", "modify", "edit", "alter", "update"],
    &["check", "verify", "validate"],
    &["cheap", "inexpensive", "cost", "price"],
    &["choose", "select", "pick", "elect"],
    &["copy", "replicate", "mirror", "sync"],
    &["cpu", "core"],
    &["crash", "failure", "fail"],
    &["dashboard", "graph", "chart"],
    &["delete", "remove", "drop", "erase"],
    &["disk", "storage", "volume"],
    &["dead", "lost", "failed"],
    &["discard", "delete"],
    &["end", "expire", "expiration", "expiry"],
    &["find", "search", "query"],
    &["grow", "expand", "resize", "increase", "raise", "scale"],
    &["install", "deploy", "setup"],
    &["latest", "newest", "recent"],
    &["limit", "quota", "throttle", "cap"],
    &["login", "signin", "authentication"],
    &["machine", "node", "server", "host"],
    &["message", "record", "event"],
    &["metrics", "monitoring"],
    &["move", "migrate", "transfer", "switch"],
    &["parameter", "option", "property"],
    &["password", "credentials"],
    &["permission", "privilege", "access"],
    &["problem", "issue", "error"],
    &["recover", "restore", "rebuild"],
    &["replace", "swap"],
    &["restart", "reboot", "bounce"],
    &["rollback", "revert", "downgrade"],
    &["show", "display", "view", "list"],
    &["shrink", "reduce", "decrease"],
    &["slow", "latency", "performance"],
    &["start", "boot", "launch"],
    &["troubleshoot", "resolve", "fix", "debug"],
    &["ui", "gui", "console"],
    &["upgrade", "update"],
    &["user", "account"],
];

/// The stem of a word to the stems that may stand for it.
static SYNONYMS: LazyLock<HashMap<String, Vec<String>>> = LazyLock::new(|| {
    let mut synonyms: HashMap<String, Vec<String>> = HashMap::new();
    for group in GROUPS {
        let stems: Vec<String> = group.iter().map(|word| stem(word)).collect();
        for word in &stems {
            let known = synonyms.entry(word.clone()).or_default();
            for other in &stems {
                if other != word && !known.contains(other) {
                    known.push(other.clone());
                }
            }
        }
    }
    synonyms
});

/// What may stand for a word, as the index has both.
pub fn of(word: &str) -> &'static [String] {
    SYNONYMS.get(word).map_or(&[], Vec::as_slice)
}

/// A word as the index has it.
fn stem(word: &str) -> String {
    let mut analyzer = tokens::analyzer();
    let mut stream = analyzer.token_stream(word);
    if stream.advance() { stream.token().text.clone() } else { String::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_is_one_that_the_index_has() {
        for word in GROUPS.iter().copied().flatten() {
            assert!(!stem(word).is_empty(), "{word} is a stop word");
            assert!(!word.contains(['-', '_', '.', ' ']), "{word} is more than one word");
        }
    }

    #[test]
    fn words_of_a_group_stand_for_each_other() {
        assert!(of("k8s").contains(&stem("kubernetes")));
        assert!(of(&stem("removing")).contains(&stem("delete")));
        assert!(of(&stem("authentication")).contains(&"auth".to_owned()));
        assert!(!of(&stem("authentication")).contains(&stem("authorization")));
        assert!(of("lighthouse").is_empty());
    }
}
