//! `gatehouse doctor URL`: tests a running deployment from outside, as a client comes to it, and
//! says for each thing that a client needs whether it is so and what to do if not.
//!
//! 1. Read what the resource and the authorization server say of themselves, and their keys.
//! 2. Knock at `/mcp` without a token.
//! 3. Ask as a browser does whose page is elsewhere.
//! 4. Begin a sign-in as a client that nobody registered: a page, and nobody is sent anywhere.
//! 5. With `--register`, register a client that nobody will use.
//!
//! It has no database and no token: what it sees, everybody can see. The names of the checks are
//! those of the requirements that `tests/README.md` maps to stories. Given the reference of an
//! attempt to sign in instead, it explains that ([`attempt`]), for which it reads the settings.

use clap::{Arg, ArgAction, ArgMatches, Command};
use serde_json::json;
use url::Url;

use crate::cli::doctor::visits::Visitor;
use crate::cli::{CommandError, block_on, say};
use crate::config::Config;
use crate::domain::attempt::parse_reference;
use crate::loopback::is_loopback;

pub mod attempt;
pub mod findings;
pub mod judge;
pub mod sign_in;
pub mod visits;

use crate::cli::doctor::findings::{Finding, Verdict};

/// What the command takes.
pub fn arguments(command: Command) -> Command {
    let switch = |name: &'static str, help: &'static str| {
        Arg::new(name).long(name).action(ArgAction::SetTrue).help(help)
    };
    command
        .arg(
            Arg::new("url")
                .value_name("URL|REF")
                .required(true)
                .help("Where it is reached, or the reference of an attempt to sign in"),
        )
        .arg(switch("register", "Register a client too; it is deleted when nobody uses it"))
        .arg(switch("json", "Answer in JSON"))
}

/// Runs every check, and fails when one does; or explains an attempt, with the settings that
/// `load` reads.
pub fn run(
    matches: &ArgMatches,
    load: impl FnOnce(&ArgMatches) -> Result<Config, CommandError>,
) -> Result<(), CommandError> {
    let given = matches.get_one::<String>("url").map_or("", String::as_str);
    if let Some(reference) = parse_reference(given) {
        return attempt::run(&load(matches)?, &reference, matches.get_flag("json"));
    }
    let origin = origin_of(given)?;
    let findings = block_on(async {
        let visitor = Visitor::to(&origin).map_err(CommandError::new)?;
        let mut findings = vec![encrypted(&origin)];
        findings.extend(judge::documents(&visitor).await);
        findings.extend(judge::door(&visitor).await);
        findings.extend(judge::origins(&visitor).await);
        findings.extend(sign_in::dry(&visitor).await);
        if matches.get_flag("register") {
            findings.extend(sign_in::registration(&visitor).await);
        }
        Ok(findings)
    })?;
    if matches.get_flag("json") {
        let checks: Vec<_> = findings.iter().map(Finding::json).collect();
        say(json!({ "url": origin.origin().ascii_serialization(), "checks": checks }));
    } else {
        findings.iter().flat_map(Finding::lines).for_each(say);
    }
    match findings.iter().filter(|finding| finding.verdict == Verdict::Fail).count() {
        0 => Ok(()),
        1 => Err(CommandError::new("doctor: one check failed")),
        n => Err(CommandError::new(format!("doctor: {n} checks failed"))),
    }
}

/// The origin, whether it or the address of `/mcp` is given.
fn origin_of(given: &str) -> Result<Url, CommandError> {
    let wrong = || {
        CommandError::new(
            "doctor: give the address of the server, such as https://mcp.example.com, or the eight \
             digits of a reference",
        )
    };
    let url = Url::parse(given).map_err(|_| wrong())?;
    let is_place = matches!(url.path(), "/" | "/mcp" | "/mcp/");
    let is_plain = url.query().is_none() && url.fragment().is_none() && url.username().is_empty();
    let is_web = matches!(url.scheme(), "http" | "https") && url.password().is_none();
    if is_place && is_plain && is_web { url.join("/").map_err(|_| wrong()) } else { Err(wrong()) }
}

fn encrypted(origin: &Url) -> Finding {
    let is_safe = origin.scheme() == "https" || is_loopback(origin);
    Finding::of("AM-14", "it is reached by https")
        .met_if(is_safe, "it is plain http")
        .or("put TLS in front of it; clients send no token over plain http")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_that_of_the_server_or_of_its_mcp() {
        let origin = |given| origin_of(given).map(|url| url.to_string()).ok();
        for given in ["https://a.example", "https://a.example/mcp", "https://a.example/mcp/"] {
            assert_eq!(origin(given).as_deref(), Some("https://a.example/"), "{given}");
        }
        for bad in [
            "a.example",
            "ftp://a.example",
            "https://a.example/x",
            "https://a.example/mcp?x",
            "https://u@a.example",
            "https://:p@a.example",
            "",
        ] {
            assert_eq!(origin(bad), None, "{bad}");
        }
    }

    #[test]
    fn plain_http_is_for_this_machine_alone() {
        let verdict = |url| encrypted(&Url::parse(url).expect("a URL")).verdict;
        assert_eq!(verdict("https://a.example"), Verdict::Ok);
        assert_eq!(verdict("http://127.0.0.1:8080"), Verdict::Ok);
        assert_eq!(verdict("http://a.example"), Verdict::Fail);
    }
}
