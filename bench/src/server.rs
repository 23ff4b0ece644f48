//! A program under measurement, in a process of its own.

use std::fs::{self, File};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How long a program may take until it answers.
const READY_WITHIN: Duration = Duration::from_mins(1);

/// Clock ticks a second in `/proc/PID/stat` (`USER_HZ`, 100 on every Linux).
const TICKS: f64 = 100.0;

/// A running program. It ends with this value.
pub struct Server {
    /// Where it listens.
    pub address: SocketAddr,
    /// How long it took until it answered.
    pub started_within: Duration,
    child: Child,
}

/// What a process has taken.
#[derive(Clone, Copy, Debug)]
pub struct Taken {
    /// Processor time, in seconds.
    pub cpu: f64,
    /// Memory in use, in KiB.
    pub resident: u64,
    /// The most that was ever in use, in KiB.
    pub resident_most: u64,
}

impl Server {
    /// Starts a program that listens at `address`, and waits until `path` answers there.
    pub async fn start(
        program: &str,
        arguments: &[&str],
        environment: &[(String, String)],
        folder: &Path,
        address: SocketAddr,
        path: &str,
    ) -> Result<Self, String> {
        let asked_at = Instant::now();
        let log = File::create(folder.join(format!("{}.log", address.port())))
            .map_err(|error| format!("its log: {error}"))?;
        let errors = log.try_clone().map_err(|error| format!("its log: {error}"))?;
        let child = Command::new(program)
            .args(arguments)
            .env_clear()
            .envs(environment.iter().map(|(name, value)| (name, value)))
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(log)
            .stderr(errors)
            .spawn()
            .map_err(|error| format!("{program}: {error}"))?;
        let mut server = Self { address, started_within: Duration::ZERO, child };
        let url = format!("http://{address}{path}");
        let http = reqwest::Client::new();
        loop {
            if http.get(&url).send().await.is_ok_and(|answer| answer.status() != 503) {
                server.started_within = asked_at.elapsed();
                return Ok(server);
            }
            if let Ok(Some(status)) = server.child.try_wait() {
                return Err(format!("{program} ended: {status}"));
            }
            if asked_at.elapsed() > READY_WITHIN {
                return Err(format!("{program} does not answer"));
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// What it has taken so far.
    pub fn taken(&self) -> Option<Taken> {
        let folder = format!("/proc/{}", self.child.id());
        let stat = fs::read_to_string(format!("{folder}/stat")).ok()?;
        // The name in parentheses may hold spaces; fields are counted behind it (proc(5)).
        let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
        let ticks: u64 =
            fields.next()?.parse::<u64>().ok()? + fields.next()?.parse::<u64>().ok()?;
        let status = fs::read_to_string(format!("{folder}/status")).ok()?;
        let kib = |name: &str| -> Option<u64> {
            let line = status.lines().find_map(|line| line.strip_prefix(name))?;
            line.trim().trim_end_matches(" kB").parse().ok()
        };
        let (resident, resident_most) = (kib("VmRSS:")?, kib("VmHWM:")?);
        #[expect(clippy::cast_precision_loss, reason = "a process does not run for 2^52 ticks")]
        Some(Taken { cpu: ticks as f64 / TICKS, resident, resident_most })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An address on loopback that nobody listens at.
pub fn free_address() -> Result<SocketAddr, String> {
    let socket = TcpListener::bind("127.0.0.1:0").map_err(|error| error.to_string())?;
    socket.local_addr().map_err(|error| error.to_string())
}
