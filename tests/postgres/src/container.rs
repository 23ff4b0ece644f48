//! A throw-away container, by testcontainers.
//!
//! testcontainers removes a container when its owner lets go of it, which a process that is killed
//! never does. So the owner is a second process, the keeper: it waits for the end of a pipe whose
//! other end only the first process holds, in a process group that Ctrl-C does not reach.

use std::fmt::Write as _;
use std::io;
use std::process::{ExitCode, Stdio};
use std::time::Duration;

use testcontainers::core::client::docker_client_instance;
use testcontainers::core::{IntoContainerPort as _, WaitFor};
use testcontainers::runners::AsyncRunner as _;
use testcontainers::{ContainerAsync, GenericImage, ImageExt as _, TestcontainersError};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{Child, Command};

use super::source::Docker;
use super::{BROKEN, say, told};

/// What the keeper is started with.
pub const KEEPER: &str = "--keep-a-container";

const PORT: u16 = 5432;
/// Tests run at once, and each has a pool of its own.
const CONNECTIONS_MAX: u16 = 400;
/// A cold engine on a busy machine is slow; pulling the image is not counted.
const READY_AT_MOST: Duration = Duration::from_mins(3);
/// A socket without an engine behind it can hang.
const ANSWERS_WITHIN: Duration = Duration::from_secs(10);

/// Asks for an engine, at the place that `DOCKER_HOST` or Docker's own rules name.
pub async fn engine() -> Docker {
    let ping = async { docker_client_instance().await.ok()?.ping().await.ok() };
    match tokio::time::timeout(ANSWERS_WITHIN, ping).await {
        Ok(Some(_)) => Docker::Answers,
        Ok(None) | Err(_) => Docker::Silent,
    }
}

/// A container and the keeper that will remove it.
pub struct Kept {
    pub url: String,
    pub image: String,
    keeper: Child,
}

impl Kept {
    /// Starts the keeper and waits until its Postgres answers; else why there is none.
    pub async fn start() -> Result<Self, String> {
        let program = std::env::current_exe().map_err(|error| error.to_string())?;
        let mut keeper = Command::new(program)
            .arg(KEEPER)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .process_group(0)
            .spawn()
            .map_err(|error| format!("cannot start the keeper: {error}"))?;
        let stdout = keeper.stdout.take().expect("it was asked for");
        let mut lines = BufReader::new(stdout).lines();
        let url = lines.next_line().await.map_err(|error| error.to_string())?;
        let image = image();
        let url = url.ok_or_else(|| format!("the engine cannot run a container of {image}"))?;
        Ok(Self { url, image, keeper })
    }

    /// Ends the keeper, and with it the container.
    pub async fn remove(mut self) -> io::Result<()> {
        drop(self.keeper.stdin.take());
        self.keeper.wait().await.map(drop)
    }
}

/// The keeper: starts a container, says where its Postgres is, and removes it when nobody holds
/// the pipe any more.
pub async fn keep() -> ExitCode {
    let password = random_password();
    let started = match start(&password).await {
        Ok(container) => address(&container).await.map(|address| (container, address)),
        Err(error) => Err(error),
    };
    let (container, address) = match started {
        Ok(started) => started,
        Err(error) => {
            say(format_args!("{error}"));
            return ExitCode::from(BROKEN);
        }
    };
    let url = format!("postgres://postgres:{password}@{address}/postgres\n");
    // Where nobody reads it, nobody holds the pipe either.
    let mut stdout = tokio::io::stdout();
    let _ = stdout.write_all(url.as_bytes()).await;
    let _ = stdout.flush().await;
    // Nobody writes to it: it ends when the first process does, however that ends.
    let held = tokio::io::stdin().read_to_end(&mut Vec::new()).await;
    match (held, container.rm().await) {
        (Ok(_), Ok(())) => ExitCode::SUCCESS,
        (_, removed) => {
            say(format_args!("the container may be left: {removed:?}"));
            ExitCode::from(BROKEN)
        }
    }
}

async fn start(password: &str) -> Result<ContainerAsync<GenericImage>, TestcontainersError> {
    let image = image();
    let (name, tag) = name_and_tag(&image);
    let ready = "database system is ready to accept connections";
    GenericImage::new(name, tag)
        .with_exposed_port(PORT.tcp())
        // While it sets itself up the image says so once on stdout, and listens to nobody.
        .with_wait_for(WaitFor::message_on_stdout(ready))
        .with_wait_for(WaitFor::message_on_stderr(ready))
        .with_env_var("POSTGRES_PASSWORD", password)
        .with_cmd(["-c", "fsync=off", "-c", &format!("max_connections={CONNECTIONS_MAX}")])
        .with_startup_timeout(READY_AT_MOST)
        .start()
        .await
}

async fn address(container: &ContainerAsync<GenericImage>) -> Result<String, TestcontainersError> {
    let port = container.get_host_port_ipv4(PORT.tcp()).await?;
    Ok(format!("{}:{port}", container.get_host().await?))
}

fn image() -> String {
    told("GATEHOUSE_TEST_POSTGRES_IMAGE").unwrap_or_else(|| "postgres:17".to_owned())
}

/// A colon before a slash belongs to a registry's port.
fn name_and_tag(image: &str) -> (&str, &str) {
    let parts = image.rsplit_once(':').filter(|(_, tag)| !tag.contains('/'));
    parts.unwrap_or((image, "latest"))
}

/// The port is published to whoever reaches this machine.
#[expect(clippy::disallowed_methods, reason = "no story depends on this chance")]
fn random_password() -> String {
    let mut bytes = [0; 24];
    aws_lc_rs::rand::fill(&mut bytes).expect("the system has entropy");
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a string takes everything");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_has_a_name_and_a_tag() {
        for (image, expected) in [
            ("postgres:17", ("postgres", "17")),
            ("postgres", ("postgres", "latest")),
            ("registry.example:5000/postgres:17-alpine", {
                ("registry.example:5000/postgres", "17-alpine")
            }),
            ("registry.example:5000/postgres", ("registry.example:5000/postgres", "latest")),
        ] {
            assert_eq!(name_and_tag(image), expected, "{image}");
        }
    }
}
