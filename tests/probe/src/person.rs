//! Who signs in: somebody at a browser, or a command that stands in for them.

use std::future::Future;
use std::io::Write as _;
use std::process::{Command, ExitStatus, Stdio};

use tokio::sync::oneshot;
use url::Url;

/// Why somebody has to sign in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Its code is exchanged by everybody at once.
    CodeRace,
    /// Its refresh token is the one that is stolen.
    Theft,
    /// It must survive the theft; afterwards its refresh token is raced for.
    Bystander,
    /// The bystander brought no token to race for.
    RefreshRace,
}

impl Purpose {
    /// In the words of the prompt.
    pub const fn told(self) -> &'static str {
        match self {
            Self::CodeRace => "Sign-in 1 of 3",
            Self::Theft => "Sign-in 2 of 3",
            Self::Bystander => "Sign-in 3 of 3",
            Self::RefreshRace => "One more sign-in, as the third did not outlive the theft",
        }
    }
}

/// Takes the browser through a sign-in.
pub trait Person {
    /// Opens `address`. May return before the browser has come back, and may be dropped once it
    /// has; an error says why it never will.
    fn sign_in(
        &self,
        address: &Url,
        purpose: Purpose,
    ) -> impl Future<Output = Result<(), String>> + Send;
}

/// Somebody who reads the terminal.
#[derive(Clone, Debug)]
pub enum Reader {
    /// They open the address themselves.
    AtTheTerminal,
    /// This command is run with the address as its one argument.
    BehindCommand(String),
}

impl Person for Reader {
    async fn sign_in(&self, address: &Url, purpose: Purpose) -> Result<(), String> {
        match self {
            Self::AtTheTerminal => {
                say(&format!("{}: open this in a browser\n\n  {address}\n", purpose.told()));
                Ok(())
            }
            Self::BehindCommand(command) => {
                say(&format!("{}: {command}", purpose.told()));
                let ended = run(command, address).await?;
                if ended.success() { Ok(()) } else { Err(format!("{command}: {ended}")) }
            }
        }
    }
}

/// Says something beside the report. Nobody may be listening; that is no reason to stop.
pub fn say(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// Runs the command; its output goes beside the report. It is waited for on a thread of its own: a
/// browser may stay open longer than the probe runs.
async fn run(command: &str, address: &Url) -> Result<ExitStatus, String> {
    let complain = |error: std::io::Error| format!("{command}: {error}");
    let mut child = Command::new(command)
        .arg(address.as_str())
        .stdin(Stdio::null())
        .stdout(std::io::stderr())
        .spawn()
        .map_err(complain)?;
    let (tell, told) = oneshot::channel();
    std::thread::spawn(move || tell.send(child.wait()));
    told.await.map_err(|_| format!("{command}: nobody waited for it"))?.map_err(complain)
}
