//! The command line of the probe.

use std::io::Write as _;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use gatehouse_probe::course::{self, Settings};
use gatehouse_probe::person::{Reader, say};
use url::Url;

/// Usage, or a probe that could not be carried out.
const NOT_CARRIED_OUT: u8 = 2;

const AFTER_HELP: &str = "Exit codes: 0 all five hold, 1 one fails, 2 the probe could not be \
                          carried out or does not show all.";

fn command() -> Command {
    let option = |name: &'static str, value: &'static str, help: &'static str| {
        Arg::new(name).long(name).value_name(value).help(help)
    };
    Command::new("gatehouse-probe")
        .version(env!("CARGO_PKG_VERSION"))
        .about("Whether five properties hold when token requests race: of any OAuth server")
        .after_help(AFTER_HELP)
        .arg(
            Arg::new("url")
                .value_name("URL")
                .required(true)
                .value_parser(address)
                .help("An MCP server, another protected resource, or an issuer"),
        )
        .arg(
            option("callers", "N", "How many present the same thing at once")
                .value_parser(value_parser!(u16).range(2..=100))
                .default_value("8"),
        )
        .arg(option("scope", "SCOPE", "Ask for this scope instead of the one the metadata suggest"))
        .arg(
            option("client-name", "NAME", "Register with this name")
                .default_value("Gatehouse race probe"),
        )
        .arg(option("open", "COMMAND", "Run this with each sign-in's address as its argument"))
        .arg(
            option("timeout", "DURATION", "How long each sign-in and each request may take")
                .value_parser(duration)
                .default_value("2m"),
        )
        .arg(
            option("revocation-bound", "DURATION", "How soon a stolen session's access token ends")
                .value_parser(duration)
                .default_value("5s"),
        )
        .arg(
            Arg::new("json")
                .long("json")
                .action(ArgAction::SetTrue)
                .help("Print the report as JSON"),
        )
}

fn address(text: &str) -> Result<Url, String> {
    let complain = || "write an address with http:// or https://".to_owned();
    let url = Url::parse(text).map_err(|_| complain())?;
    if url.has_host() && matches!(url.scheme(), "http" | "https") {
        Ok(url)
    } else {
        Err(complain())
    }
}

/// Reads `30s` or `2m`.
fn duration(text: &str) -> Result<Duration, String> {
    let complain = || "write 30s or 2m".to_owned();
    let seconds = text.strip_suffix('s').map(|digits| (digits, 1));
    let minutes = text.strip_suffix('m').map(|digits| (digits, 60));
    let (digits, unit) = seconds.or(minutes).ok_or_else(complain)?;
    let count: u32 = digits.parse().map_err(|_| complain())?;
    Ok(Duration::from_secs(u64::from(count) * unit))
}

fn settings(matches: &ArgMatches) -> Settings {
    let text = |name| matches.get_one::<String>(name).cloned();
    let duration = |name| *matches.get_one::<Duration>(name).expect("it has a default");
    Settings {
        address: matches.get_one::<Url>("url").expect("it is required").clone(),
        callers: usize::from(*matches.get_one::<u16>("callers").expect("it has a default")),
        scope: text("scope"),
        client_name: text("client-name").expect("it has a default"),
        timeout: duration("timeout"),
        revocation_bound: duration("revocation-bound"),
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    let matches = command().get_matches();
    let settings = settings(&matches);
    let person = match matches.get_one::<String>("open") {
        Some(command) => Reader::BehindCommand(command.clone()),
        None => Reader::AtTheTerminal,
    };
    say(&format!(
        "This registers a client at {} and asks for three sign-ins there, all by the same person.\n\
         Probe only servers that you are allowed to test.\n",
        settings.address
    ));
    match course::run(&settings, &person).await {
        Ok(report) => {
            let text = if matches.get_flag("json") { report.json() } else { report.to_string() };
            // Whoever reads may stop reading; the exit code tells as much.
            let _ = writeln!(std::io::stdout(), "{text}");
            ExitCode::from(report.exit_code())
        }
        Err(error) => {
            say(&format!("The probe could not be carried out: {error}"));
            ExitCode::from(NOT_CARRIED_OUT)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        command().debug_assert();
    }

    #[test]
    fn addresses_and_durations_are_read_or_complained_of() {
        for (text, seconds) in [
            ("5s", Some(5)),
            ("2m", Some(120)),
            ("0s", Some(0)),
            ("5", None),
            ("-1s", None),
            ("s", None),
        ] {
            assert_eq!(duration(text).ok(), seconds.map(Duration::from_secs), "{text}");
        }
        for (text, is_good) in [
            ("https://a.example/mcp", true),
            ("http://127.0.0.1:8080", true),
            ("a.example", false),
            ("ftp://a.example", false),
            ("mailto:a@a.example", false),
        ] {
            assert_eq!(address(text).is_ok(), is_good, "{text}");
        }
    }
}
