//! The command that wants a Postgres.

use std::ffi::OsString;
use std::io;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::{ExitCode, ExitStatus};

use tokio::signal::unix::{SignalKind, signal};

use super::DATABASE_URL;

const LOCAL_CLUSTER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../scripts/local-postgres");

/// A program and what it is told.
pub struct Command {
    pub program: OsString,
    pub arguments: Vec<OsString>,
}

impl Command {
    /// Runs it to its end; its exit code.
    pub async fn run(self, database_url: Option<&str>) -> io::Result<ExitCode> {
        let mut command = tokio::process::Command::new(&self.program);
        command.args(&self.arguments).envs(database_url.map(|url| (DATABASE_URL, url)));
        // Ctrl-C reaches the command too, which then ends; TERM reaches only this process.
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut terminate = signal(SignalKind::terminate())?;
        let mut running = command.spawn().map_err(|error| self.cannot_run(&error))?;
        loop {
            tokio::select! {
                status = running.wait() => return status.map(exit_code),
                _ = interrupt.recv() => {}
                _ = terminate.recv() => hand_on_terminate(running.id()).await?,
            }
        }
    }

    /// Becomes the script that starts a cluster and runs the command. Returns only if it cannot.
    pub fn run_on_a_local_cluster(self) -> io::Result<ExitCode> {
        let mut script = std::process::Command::new(LOCAL_CLUSTER);
        Err(script.arg(self.program).args(self.arguments).exec())
    }

    fn cannot_run(&self, error: &io::Error) -> io::Error {
        io::Error::other(format!("cannot run {}: {error}", self.program.display()))
    }
}

async fn hand_on_terminate(process: Option<u32>) -> io::Result<()> {
    let Some(process) = process else { return Ok(()) };
    let mut kill = tokio::process::Command::new("kill");
    kill.args(["-TERM", &process.to_string()]).status().await.map(drop)
}

/// As a shell says it: what a signal ended has 128 and the signal's number.
fn exit_code(status: ExitStatus) -> ExitCode {
    let code = status.code().or(status.signal().map(|signal| 128 + signal));
    ExitCode::from(code.and_then(|code| u8::try_from(code).ok()).unwrap_or(u8::MAX))
}
