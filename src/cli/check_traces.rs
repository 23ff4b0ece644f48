//! `gatehouse check`, as far as traces go: whether the collector takes them. What it is sent has
//! nothing in it.

use crate::cli::{logging, say};
use crate::config::Config;
use crate::traces::collector::{NotTaken, Post};

/// Whether it does, or none is needed.
pub async fn traces(config: &Config) -> bool {
    let Some(traces) = &config.traces else { return true };
    let host = traces.host();
    let looked = match Post::to(logging::collector(traces)) {
        Ok(post) => post.look().await,
        Err(error) => {
            say(format!("FAIL  traces: {error}"));
            return false;
        }
    };
    let Err(reason) = looked else {
        say(format!("ok    traces: {host} takes them"));
        return true;
    };
    say(format!("FAIL  traces: {host} does not take them ({reason})"));
    say(match reason {
        NotTaken::Status(401 | 403) => "      Is traces_headers right?",
        NotTaken::Status(_) => {
            "      traces_url has the whole path for OTLP over HTTP, usually /v1/traces."
        }
        NotTaken::NoConnection | NotTaken::NoAnswer => {
            "      Does the collector run, and may this machine reach it? Requests do without it."
        }
    });
    false
}
