//! `gatehouse health [alive|ready]`: asks the server that runs here, for container engines whose
//! images have no other program to ask with. Needs the admin listener's address and nothing else.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use clap::{Arg, Command};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;

use crate::cli::{CommandError, block_on, say};
use crate::config::layers::{Given, Layers};
use crate::config::readers::admin_listen;

/// How long an answer may take.
const ANSWERED_WITHIN: Duration = Duration::from_secs(5);

/// The arguments of the command.
pub fn with_question(command: Command) -> Command {
    let question = Arg::new("question").value_parser(["alive", "ready"]).default_value("alive");
    command.arg(question.help("alive asks /healthz, ready asks /readyz"))
}

/// Asks; fails unless the answer is yes.
pub fn run(given: &Given, question: &str) -> Result<(), CommandError> {
    let address = reachable(admin_listen(&Layers::merge(given)?)?);
    let path = if question == "ready" { "/readyz" } else { "/healthz" };
    block_on(async {
        let asked = tokio::time::timeout(ANSWERED_WITHIN, ask(address, path)).await;
        let fault = |what: &dyn std::fmt::Display| CommandError::new(format!("{address}: {what}"));
        match asked {
            Err(_) => Err(fault(&"no answer in time")),
            Ok(Err(error)) => Err(fault(&error)),
            Ok(Ok(status)) if status.split(' ').nth(1) == Some("200") => {
                say(question);
                Ok(())
            }
            Ok(Ok(status)) => Err(fault(&format!("not {question}: {}", status.trim()))),
        }
    })
}

/// The first line of the answer.
async fn ask(address: SocketAddr, path: &str) -> std::io::Result<String> {
    let mut stream = BufReader::new(TcpStream::connect(address).await?);
    let request = format!("GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut status = String::new();
    stream.read_line(&mut status).await?;
    Ok(status)
}

/// Where a listener on all addresses is reached from here.
fn reachable(listener: SocketAddr) -> SocketAddr {
    let ip = match listener.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, listener.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listener_on_all_addresses_is_asked_on_loopback() {
        for (listener, asked) in [
            ("0.0.0.0:9090", "127.0.0.1:9090"),
            ("[::]:9090", "[::1]:9090"),
            ("10.1.2.3:80", "10.1.2.3:80"),
        ] {
            assert_eq!(reachable(listener.parse().unwrap()).to_string(), asked);
        }
    }
}
