//! Which room may name what. Mirrors the table in the architecture and the order in `src/lib.rs`.

use crate::rust::{Path, Source};
use crate::tree::{Finding, is_below};

/// A room of `src/`, and what of ours it may name besides itself.
pub struct Room {
    /// Its module in `src/lib.rs`.
    pub name: &'static str,
    /// Rooms, or single modules or types of them.
    pub may_name: &'static [&'static str],
}

const fn room(name: &'static str, may_name: &'static [&'static str]) -> Room {
    Room { name, may_name }
}

/// The rooms in the order of `src/lib.rs`; each names only earlier ones.
pub const ROOMS: &[Room] = &[
    // Leaves. They may name each other.
    room("clock", LEAVES),
    room("secret", LEAVES),
    room("keys", LEAVES),
    room("private_jwk", LEAVES),
    room("id", LEAVES),
    room("server_secret", LEAVES),
    room("loopback", LEAVES),
    room("calendar", LEAVES),
    room("special_use", LEAVES),
    room("http_client", LEAVES),
    room("traces", LEAVES),
    room("config", LEAVES),
    // Values only: no clock, no chance. `domain_words` bars Clock and Entropy by name as well.
    room("domain", &["calendar", "clock::Timestamp", "id", "loopback", "secret"]),
    // Words of the domain are labels; whatever else a label is, the settings say.
    room("metrics", &["domain::refusal"]),
    room("store", &[LEAVES_AND, "domain", "metrics"]),
    room("upstream", &[LEAVES_AND, "domain", "metrics"]),
    room("clients", &[LEAVES_AND, "domain", "store"]),
    room("text", &[]),
    room("docs", &["text"]),
    // Prose beside the documents is read, and files are listed and watched, as the corpus is.
    room(
        "reference",
        &["docs::document", "docs::error", "docs::markdown", "docs::tree", "docs::watch", "text"],
    ),
    // Takes the settings as they were checked, instead of a copy of each type of theirs.
    room("remote", &[LEAVES_AND, "config::remote", "config::remote_tool", "metrics"]),
    // Sees a caller, already admitted: neither store nor secrets are within reach.
    room(
        "mcp",
        &[
            "clock::Stopwatch",
            "config::remote_tool",
            "docs",
            "reference",
            "remote",
            "text",
            "traces",
        ],
    ),
    // Implements the traits through which the tools hand over; the tools do not know it.
    room(
        "attribution",
        &[
            LEAVES_AND,
            "config::sink",
            "config::sink_words",
            "domain",
            "metrics",
            "store",
            "mcp::caller",
            "mcp::feedback",
            "mcp::reply",
            "mcp::usage",
            "text",
            "remote::Witness",
        ],
    ),
    // Templates show values of the domain; they decide nothing.
    room(
        "page",
        &[
            "calendar",
            "domain::day",
            "domain::enforcement",
            "domain::redirect_uri",
            "domain::replay",
            "domain::scope",
        ],
    ),
    room(
        "flow",
        &[
            LEAVES_AND,
            "attribution::erasure",
            "attribution::export",
            "attribution::happening",
            "attribution::people",
            "attribution::sinks",
            "attribution::searches::gaps",
            "clients",
            "config",
            "domain",
            "metrics",
            "page",
            "store",
            "upstream",
        ],
    ),
    room("http", &[LEAVES_AND, "config", "flow", "mcp", "metrics", "page"]),
    room("cli", &[EVERYTHING]),
];

const LEAVES: &[&str] = &[
    "clock",
    "secret",
    "server_secret",
    "keys",
    "private_jwk",
    "id",
    "loopback",
    "calendar",
    "special_use",
    "http_client",
    "traces",
];
/// Stands in a list for each of [`LEAVES`].
const LEAVES_AND: &str = "(leaves)";
/// Stands in a list for every room.
const EVERYTHING: &str = "(everything)";

/// What only some places may name: a crate or a part of `std`, and the rooms or files.
pub const KEPT: &[(&str, &[&str])] = &[
    ("sea_orm", &["src/store"]),
    ("sea_orm_migration", &["src/store"]),
    ("sqlx", &["src/store"]),
    ("gatehouse_migration", &["src/store"]),
    ("gatehouse_api", &["src/flow/wire*", "src/http", "src/cli"]),
    ("poem", &["src/flow/wire*", "src/http"]),
    ("poem_openapi", &["src/flow/wire*", "src/http"]),
    (
        "reqwest",
        &[
            "src/http_client.rs",
            "src/upstream",
            "src/clients",
            "src/remote",
            "src/attribution",
            "src/traces/collector.rs",
            "src/cli/doctor/visits.rs",
        ],
    ),
    ("prometheus", &["src/metrics"]),
    ("opentelemetry", &["src/traces", "src/cli/logging.rs"]),
    ("opentelemetry_proto", &["src/traces"]),
    ("opentelemetry_sdk", &["src/traces", "src/cli/logging.rs"]),
    ("prost", &["src/traces"]),
    ("tracing_opentelemetry", &["src/traces", "src/cli/logging.rs"]),
    ("rmcp", &["src/mcp"]),
    ("schemars", &["src/mcp"]),
    ("maud", &["src/page"]),
    ("tantivy", &["src/text"]),
    ("saphyr_parser", &["src/reference/parse.rs", "src/metrics/tests.rs"]),
    ("notify", &["src/docs"]),
    ("pulldown_cmark", &["src/docs"]),
    ("htmd", &["src/docs"]),
    ("clap", &["src/cli"]),
    ("tracing_subscriber", &["src/cli"]),
    ("toml", &["src/config"]),
    ("aws_lc_rs", &["src/secret.rs", "src/server_secret.rs", "src/keys.rs", "src/private_jwk.rs"]),
    (
        "jsonwebtoken",
        &[
            "src/keys.rs",
            "src/upstream/key_set.rs",
            "src/upstream/id_token.rs",
            "src/flow/keyring.rs",
            "src/flow/access_jwt.rs",
        ],
    ),
    ("std::env", &["src/config"]),
];

/// All that the domain may name of what is not ours.
const DOMAIN_CRATES: &[&str] = &[
    "std",
    "core",
    "idna",
    "mailchecker",
    "psl",
    "serde",
    "serde_json",
    "unicode_security",
    "url",
];

/// Parts of `std` that are not values.
const NOT_VALUES: &[&str] = &[
    "std::fs",
    "std::io",
    "std::process",
    "std::sync",
    "std::thread",
    "std::time::Instant",
    "std::time::SystemTime",
];

/// Words that have no place in the domain.
const DOMAIN_WORDS: &[&str] =
    &["async", "await", "Clock", "Entropy", "SystemClock", "SystemEntropy", "SteppedClock"];

/// An edge that stands against the rule.
pub struct Exception {
    /// The file.
    pub file: &'static str,
    /// What it names there.
    pub names: &'static str,
}

const fn exception(file: &'static str, names: &'static str) -> Exception {
    Exception { file, names }
}

/// May only shrink: one that is no longer needed fails a test.
pub const EXCEPTIONS: &[Exception] = &[
    // The built-in provider's pages; production has no such door.
    exception("src/http/dev_provider.rs", "upstream::dev"),
    // Says whether the corpus is loaded, and turns what was admitted into the tools' caller.
    exception("src/http/mcp_door.rs", "docs::library"),
    exception("src/http/mcp_door.rs", "domain::refusal"),
    exception("src/http/mcp_door.rs", "domain::scope"),
    // Names the scopes that are missing.
    exception("src/http/mcp_refusals.rs", "domain::scope"),
    // Their tests make a secret to compare with; what it says does not matter to them.
    exception("src/domain/access_token.rs", "SystemEntropy"),
    exception("src/domain/authorization_code.rs", "SystemEntropy"),
    exception("src/domain/refresh_token.rs", "SystemEntropy"),
    // Where a corpus to test with lies is no setting of the service.
    exception("src/docs/corpus/tests.rs", "std::env"),
    exception("src/reference/tests/corpus.rs", "std::env"),
    // A test reads what was logged.
    exception("src/mcp/tests/robustness.rs", "tracing_subscriber"),
];

/// What of `source` crosses a wall. With the names, so that exceptions can be matched.
pub fn crossings(source: &Source, crates: &[String]) -> Vec<(String, Finding)> {
    let paths = source.paths();
    let mut found = ours(source, &paths);
    found.extend(kept(source, &paths));
    if room_of(&source.path) == Some("domain") {
        found.extend(domain(source, &paths, crates));
    }
    found
}

/// Takes out what an exception covers; marks the exceptions that did.
pub fn except(crossings: Vec<(String, Finding)>, needed: &mut [bool]) -> Vec<Finding> {
    assert_eq!(needed.len(), EXCEPTIONS.len());
    let mut left = Vec::new();
    for (names, finding) in crossings {
        let covers = |exception: &Exception| {
            finding.file == exception.file && is_or_in(&names, exception.names)
        };
        match EXCEPTIONS.iter().position(covers) {
            Some(at) => needed[at] = true,
            None => left.push(finding),
        }
    }
    left
}

fn ours(source: &Source, paths: &[Path]) -> Vec<(String, Finding)> {
    let Some(name) = room_of(&source.path) else { return Vec::new() };
    let Some(room) = ROOMS.iter().find(|room| room.name == name) else {
        let message = format!("the room {name} has no row in tests/tidy/walls.rs: add one");
        return vec![(name.to_owned(), Finding::new(&source.path, 1, message))];
    };
    let mut found = Vec::new();
    for path in paths {
        let Some(names) = from_the_crate(&source.path, path) else { continue };
        if is_or_in(&names, name) || may(room, &names) {
            continue;
        }
        let message = format!(
            "the room {name} names crate::{names}: ask for what is needed through a parameter or \
             a trait of {name}, or move the code to a room that may"
        );
        found.push((names, Finding::new(&source.path, path.line, message)));
    }
    found
}

/// The path below `crate`, when it is one of ours: `crate::…`, or enough `super`s.
fn from_the_crate(file: &str, path: &Path) -> Option<String> {
    let supers = path.segments.iter().take_while(|segment| *segment == "super").count();
    let own = path.segments.iter().skip_while(|segment| *segment == "self").skip(supers);
    let reaches_out = supers > 0 && supers >= depth(file) + path.inside;
    match path.segments.first()?.as_str() {
        "crate" => Some(path.segments[1..].join("::")).filter(|names| !names.is_empty()),
        "super" if reaches_out => Some(own.cloned().collect::<Vec<_>>().join("::")),
        _ => None,
    }
}

/// How many modules a file's own code lies in.
fn depth(file: &str) -> usize {
    file.split('/').count() - 1 - usize::from(file.ends_with("/mod.rs"))
}

fn may(room: &Room, names: &str) -> bool {
    room.may_name.iter().any(|allowed| match *allowed {
        EVERYTHING => true,
        LEAVES_AND => LEAVES.iter().any(|leaf| is_or_in(names, leaf)),
        allowed => is_or_in(names, allowed),
    })
}

fn kept(source: &Source, paths: &[Path]) -> Vec<(String, Finding)> {
    let mut found = Vec::new();
    for path in paths {
        let names = path.segments.join("::");
        for (kept, places) in KEPT {
            let here = places.iter().any(|place| is_at(&source.path, place));
            if !here && path.segments.len() > 1 && is_or_in(&names, kept) {
                let message = format!("{kept} is kept to {}: go through it", places.join(", "));
                found.push(((*kept).to_owned(), Finding::new(&source.path, path.line, message)));
            }
        }
    }
    found
}

fn domain(source: &Source, paths: &[Path], crates: &[String]) -> Vec<(String, Finding)> {
    let mut found = Vec::new();
    for path in paths {
        let first = &path.segments[0];
        let names = path.segments.join("::");
        let is_foreign = path.segments.len() > 1 && crates.contains(first);
        let is_value = !NOT_VALUES.iter().any(|part| is_or_in(&names, part));
        if (is_foreign && !DOMAIN_CRATES.contains(&first.as_str())) || !is_value {
            let message = format!("the domain names {names}: rules take values and return values");
            found.push((names, Finding::new(&source.path, path.line, message)));
        }
    }
    for (line, word) in source.words().filter(|(_, word)| DOMAIN_WORDS.contains(word)) {
        let message = format!("the domain says `{word}`: take the value as a parameter instead");
        found.push((word.to_owned(), Finding::new(&source.path, line, message)));
    }
    found
}

/// Whether `file` lies at `place`: a folder, a file, or the beginning of a name with `*` behind it.
fn is_at(file: &str, place: &str) -> bool {
    place
        .strip_suffix('*')
        .map_or_else(|| is_below(file, place), |beginning| file.starts_with(beginning))
}

/// Whether `names` is `place` or something in it.
fn is_or_in(names: &str, place: &str) -> bool {
    names.strip_prefix(place).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

/// The room a file of `src/` belongs to; `lib.rs` and `main.rs` are in none.
pub fn room_of(file: &str) -> Option<&str> {
    let below = file.strip_prefix("src/")?;
    let name = below.split('/').next()?;
    let name = name.strip_suffix(".rs").unwrap_or(name);
    (name != "lib" && name != "main").then_some(name)
}

/// Rows that do not agree with `src/lib.rs`: a room without a row, a row without a room, an arrow
/// to a later room.
pub fn against_the_order(lib: &Source) -> Vec<Finding> {
    let told: Vec<&str> = lib.text.lines().filter(|line| line.starts_with("//! - [")).collect();
    let order = told.join(" ");
    let order: Vec<&str> =
        order.split("[`").skip(1).filter_map(|rest| rest.split("`]").next()).collect();
    let mut found = Vec::new();
    let mut fault = |message: String| found.push(Finding::new(&lib.path, 1, message));
    for module in lib.modules() {
        if !order.contains(&module.name.as_str()) {
            fault(format!("the head does not tell what {} is: add a line", module.name));
        }
        if !ROOMS.iter().any(|room| room.name == module.name) {
            fault(format!("{} has no row in tests/tidy/walls.rs: add one", module.name));
        }
    }
    let place = |name: &str| order.iter().position(|told| *told == name);
    for room in ROOMS.iter().filter(|room| room.may_name != LEAVES) {
        let own = place(room.name);
        if own.is_none() {
            fault(format!("the row {} in tests/tidy/walls.rs has no room", room.name));
        }
        for allowed in room.may_name.iter().filter(|allowed| !allowed.starts_with('(')) {
            let other = allowed.split("::").next().unwrap_or_default();
            if place(other) >= own {
                fault(format!("{} may name {other}, which the head tells later", room.name));
            }
        }
    }
    found
}

/// Where `source` names one of `crates`.
pub fn names_any(source: &Source, crates: &[&str]) -> Vec<Finding> {
    let mut found = Vec::new();
    for path in source.paths() {
        if path.segments.len() > 1 && crates.contains(&path.segments[0].as_str()) {
            let message =
                format!("{} is out of sight here: describe, do not use", path.segments[0]);
            found.push(Finding::new(&source.path, path.line, message));
        }
    }
    found
}
