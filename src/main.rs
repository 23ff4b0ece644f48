//! Parses the command line and hands over to [`gatehouse::cli`].

use std::process::ExitCode;

fn main() -> ExitCode {
    gatehouse::cli::run()
}
