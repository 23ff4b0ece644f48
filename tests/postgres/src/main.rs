//! `with-postgres CMD [ARG...]`: runs CMD with `GATEHOUSE_TEST_DATABASE_URL` naming a Postgres that
//! this run may fill and forget, and ends with CMD's exit code.
//!
//! [`source::choose`] decides where that Postgres comes from, and the choice is said on stderr:
//! the one that is named already, else a container by testcontainers where a Docker engine answers,
//! else a throw-away cluster by `scripts/local-postgres`.
//!
//! | variable | meaning |
//! | --- | --- |
//! | `GATEHOUSE_TEST_DATABASE_URL` | a Postgres of yours; nothing is started then |
//! | `GATEHOUSE_REQUIRE_DOCKER` | `1`: a container or nothing, unless one is named |
//! | `GATEHOUSE_TEST_POSTGRES_IMAGE` | the image of the container (`postgres:17`) |
//!
//! Exit codes of its own: 64 no command, 69 no way to a Postgres, 70 a way that broke.

mod command;
mod container;
mod source;

use std::io;
use std::process::ExitCode;

use source::{Docker, Source};

/// Names a Postgres that may be filled and forgotten.
pub const DATABASE_URL: &str = "GATEHOUSE_TEST_DATABASE_URL";

const USAGE: u8 = 64;
const UNAVAILABLE: u8 = 69;
const BROKEN: u8 = 70;

/// Says which way was taken.
#[expect(clippy::print_stderr, reason = "stdout belongs to the command")]
fn say(what: std::fmt::Arguments<'_>) {
    eprintln!("with-postgres: {what}");
}

/// What this variable says; an empty one says nothing.
#[expect(clippy::disallowed_methods, reason = "a test is told by its environment where to run")]
pub fn told(variable: &str) -> Option<String> {
    std::env::var(variable).ok().filter(|value| !value.is_empty())
}

#[tokio::main]
async fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    let Some(program) = arguments.next() else {
        say(format_args!("usage: with-postgres CMD [ARG...]"));
        return ExitCode::from(USAGE);
    };
    if program == container::KEEPER {
        return container::keep().await;
    }
    let command = command::Command { program, arguments: arguments.collect() };
    run(command).await.unwrap_or_else(|error| {
        say(format_args!("{error}"));
        ExitCode::from(BROKEN)
    })
}

async fn run(command: command::Command) -> io::Result<ExitCode> {
    let is_named = told(DATABASE_URL).is_some();
    let is_required = told("GATEHOUSE_REQUIRE_DOCKER").as_deref() == Some("1");
    // An engine is only asked when its answer matters: one that hangs takes its time.
    let docker = if is_named { Docker::NotAsked } else { container::engine().await };
    match source::choose(is_named, is_required, docker) {
        Some(Source::Named) => {
            say(format_args!("using the Postgres of {DATABASE_URL}"));
            command.run(None).await
        }
        Some(Source::Container) => match container::Kept::start().await {
            Ok(kept) => {
                say(format_args!("a throw-away container of {} by testcontainers", kept.image));
                let ended = command.run(Some(&kept.url)).await;
                kept.remove().await?;
                ended
            }
            Err(why) if is_required => Err(io::Error::other(why)),
            Err(why) => {
                say(format_args!("{why}; a local cluster stands in"));
                command.run_on_a_local_cluster()
            }
        },
        Some(Source::LocalCluster) => {
            say(format_args!("no Docker engine answers: a local cluster stands in"));
            command.run_on_a_local_cluster()
        }
        None => {
            say(format_args!("GATEHOUSE_REQUIRE_DOCKER=1, but no Docker engine answers"));
            Ok(ExitCode::from(UNAVAILABLE))
        }
    }
}
