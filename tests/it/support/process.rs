//! The real program, in processes of its own: started, killed without warning, started again.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use tokio::time::timeout;

use super::world::SERVER_SECRET;
use super::{World, free_port};

/// How long a process may take until it answers.
const READY_AT_MOST: Duration = Duration::from_secs(30);

pub struct Process {
    pub url: String,
    pub admin_url: String,
    pub log: PathBuf,
    variables: Vec<(String, String)>,
    folder: PathBuf,
    child: Child,
}

impl Process {
    /// Starts the program in `folder` with the story's provider and database.
    pub async fn start(
        world: &World,
        folder: &Path,
        name: &str,
        settings: &[(&str, &str)],
    ) -> Self {
        Self::start_at(&format!("127.0.0.1:{}", free_port()), world, folder, name, settings).await
    }

    /// The same, with variables in its environment that are no settings.
    pub async fn start_with(
        world: &World,
        folder: &Path,
        name: &str,
        settings: &[(&str, &str)],
        variables: &[(&str, &str)],
    ) -> Self {
        let address = format!("127.0.0.1:{}", free_port());
        Self::begin(&address, world, folder, name, settings, variables).await
    }

    /// The same, at an address (`host:port`) of the story's choice.
    pub async fn start_at(
        address: &str,
        world: &World,
        folder: &Path,
        name: &str,
        settings: &[(&str, &str)],
    ) -> Self {
        Self::begin(address, world, folder, name, settings, &[]).await
    }

    async fn begin(
        address: &str,
        world: &World,
        folder: &Path,
        name: &str,
        settings: &[(&str, &str)],
        variables: &[(&str, &str)],
    ) -> Self {
        let admin_address = format!("127.0.0.1:{}", free_port());
        let mut all: Vec<(String, String)> = [
            ("LISTEN", address),
            ("ADMIN_LISTEN", &admin_address),
            ("DATABASE_URL", &world.database_url),
            ("SECRET", SERVER_SECRET),
            ("UPSTREAM_ISSUER", &world.auth0.issuer()),
            ("UPSTREAM_CLIENT_ID", world.auth0.client_id()),
            ("SIGNING_ALG", "ES256"),
            ("DOCS_PRODUCT", "Example"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec();
        all.extend(settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        for (name, _) in &mut all {
            name.insert_str(0, "GATEHOUSE_");
        }
        all.extend(variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        let log = folder.join(format!("{name}.log"));
        let child = spawn(folder, &log, &all);
        let mut process = Self {
            url: format!("http://{address}"),
            admin_url: format!("http://{admin_address}"),
            log,
            variables: all,
            folder: folder.to_owned(),
            child,
        };
        process.until_it_answers(world).await;
        process
    }

    /// Ends it as a power cut would (SIGKILL).
    pub fn kill(&mut self) {
        self.child.kill().expect("it runs");
        self.child.wait().expect("it ends");
    }

    /// Asks it to stop, as a service manager does (SIGTERM).
    pub fn terminate(&self) {
        self.signal("-TERM");
    }

    /// Stops it in the middle of whatever it does, as a machine that is moved does (SIGSTOP).
    pub fn pause(&self) {
        self.signal("-STOP");
    }

    /// Lets it go on as if no time had passed (SIGCONT).
    pub fn go_on(&self) {
        self.signal("-CONT");
    }

    fn signal(&self, signal: &str) {
        let pid = self.child.id().to_string();
        let sent = Command::new("kill").args([signal, &pid]).status();
        assert!(sent.expect("kill can be run").success());
    }

    /// How large a file of its may become from now on: what lies beyond cannot be written, as on a
    /// disk that is full. `unlimited` makes room again.
    pub fn limit_files(&self, bytes: &str) {
        let pid = self.child.id().to_string();
        let limited =
            Command::new("prlimit").args(["--pid", &pid, &format!("--fsize={bytes}:")]).status();
        assert!(limited.expect("util-linux has prlimit").success());
    }

    /// Returns when it has ended by itself; its exit code.
    pub async fn ended(&mut self) -> Option<i32> {
        loop {
            if let Some(status) = self.child.try_wait().expect("a child can be asked after") {
                return status.code();
            }
            tokio::task::yield_now().await;
        }
    }

    /// Starts it again on the same address; its log goes on.
    pub async fn start_again(&mut self, world: &World) {
        self.child = spawn(&self.folder, &self.log, &self.variables);
        self.until_it_answers(world).await;
    }

    pub fn written(&self) -> String {
        std::fs::read_to_string(&self.log).expect("it writes a log")
    }

    /// Waits until so many lines of its log hold this; each look waits for the network.
    pub async fn until_written(&self, world: &World, lines: usize, words: &str) {
        let looking = async {
            while self.written().lines().filter(|line| line.contains(words)).count() < lines {
                world.http.get(format!("{}/healthz", self.url)).send().await.expect("it answers");
            }
        };
        let seen = timeout(Duration::from_secs(30), looking).await;
        assert!(seen.is_ok(), "its log never has {lines} lines with {words}");
    }

    /// Asks until it answers; each try waits for the network, none for a clock.
    async fn until_it_answers(&mut self, world: &World) {
        let url = format!("{}/.well-known/oauth-protected-resource", self.url);
        let child = &mut self.child;
        let asking = async {
            while world.http.get(&url).send().await.is_err() {
                let ended = child.try_wait().expect("a child can be asked after");
                assert!(
                    ended.is_none(),
                    "it ended: {}",
                    std::fs::read_to_string(&self.log).unwrap()
                );
                tokio::task::yield_now().await;
            }
        };
        let answered = timeout(READY_AT_MOST, asking).await;
        assert!(answered.is_ok(), "it does not answer:\n{}", self.written());
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may be dead already, which is what is wanted.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs a command of the program, its words apart by spaces, to its end: its exit code and what it
/// said.
pub async fn run(
    world: &World,
    folder: &Path,
    command: &str,
    settings: &[(&str, &str)],
) -> (Option<i32>, String) {
    run_with(world, folder, command, settings, &[]).await
}

/// The same, with variables in its environment that are no settings.
pub async fn run_with(
    world: &World,
    folder: &Path,
    command: &str,
    settings: &[(&str, &str)],
    variables: &[(&str, &str)],
) -> (Option<i32>, String) {
    let output = ended(world, folder, command, settings, variables).await;
    (output.status.code(), String::from_utf8(output.stdout).expect("it says text"))
}

/// The same, with what it said of errors behind what it answered.
pub async fn run_with_errors(
    world: &World,
    folder: &Path,
    command: &str,
    settings: &[(&str, &str)],
) -> (Option<i32>, String) {
    let output = ended(world, folder, command, settings, &[]).await;
    let said = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8(said).expect("it says text"))
}

async fn ended(
    world: &World,
    folder: &Path,
    command: &str,
    settings: &[(&str, &str)],
    variables: &[(&str, &str)],
) -> Output {
    let mut program = Command::new(program());
    let issuer = world.auth0.issuer();
    program
        .args(command.split(' '))
        .current_dir(folder)
        .env("GATEHOUSE_DATABASE_URL", &world.database_url)
        .env("GATEHOUSE_SECRET", SERVER_SECRET)
        .env("GATEHOUSE_UPSTREAM_ISSUER", issuer)
        .env("GATEHOUSE_UPSTREAM_CLIENT_ID", world.auth0.client_id());
    for (name, value) in settings {
        program.env(format!("GATEHOUSE_{name}"), value);
    }
    program.envs(variables.iter().copied());
    let ended = tokio::task::spawn_blocking(move || program.output()).await;
    ended.expect("waiting does not panic").expect("the program can be started")
}

/// The program that was built beside the stories.
fn program() -> &'static str {
    match option_env!("CARGO_BIN_EXE_gatehouse") {
        Some(program) => program,
        None => panic!("only stories of the program's own package can start it"),
    }
}

fn spawn(folder: &Path, log: &Path, variables: &[(String, String)]) -> Child {
    let output = || {
        let file = File::options().create(true).append(true).open(log);
        Stdio::from(file.expect("the folder is writable"))
    };
    // A file that may not grow is an error then, as on a full disk, and not the end (SIGXFSZ).
    Command::new("sh")
        .args(["-c", "trap '' XFSZ; exec \"$0\" serve", program()])
        .current_dir(folder)
        .envs(variables.iter().map(|(name, value)| (name, value)))
        .stdout(output())
        .stderr(output())
        .spawn()
        .expect("the program can be started")
}
