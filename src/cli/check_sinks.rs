//! `gatehouse check`, as far as sinks go: what each would be told, and whether anybody is there. No
//! event is made: a HEAD request leaves nothing behind.

use crate::attribution::post::{Failure, Post};
use crate::cli::say;
use crate::config::Config;
use crate::config::sink::{SinkConfig, SinkShape};

/// Whether all of them are there.
pub async fn sinks(config: &Config) -> bool {
    let mut all_pass = true;
    for (number, sink) in config.sinks.iter().enumerate() {
        let what = format!("sink[{number}] ({}, {})", sink.name, sink.host());
        match look(sink).await {
            Ok(()) => say(format!("ok    {what}: it answers")),
            Err(fault) => {
                all_pass = false;
                say(format!("FAIL  {what}: {fault}"));
                say("      Is the url right, exactly, and may this machine reach it?");
            }
        }
        say(format!("note  {what} is told of {}, {}", events(sink), sink.purpose));
        say(format!("note  {what} is told {}", fields(sink)));
        if sink.is_required {
            say(format!("note  {what} is required: nobody can object to it"));
        }
    }
    all_pass
}

async fn look(sink: &SinkConfig) -> Result<(), String> {
    let post = Post::to(&sink.url).map_err(|error| error.to_string())?;
    post.look(&sink.url).await.map_err(|failure| match failure {
        Failure::Status(status) => {
            format!("it redirects ({status}), and a letter would be lost on the way")
        }
        failure => format!("it does not answer ({failure})"),
    })
}

fn events(sink: &SinkConfig) -> String {
    let names: Vec<_> = sink.events.iter().map(|event| event.name()).collect();
    names.join(", ")
}

fn fields(sink: &SinkConfig) -> String {
    match sink.shape {
        SinkShape::Envelope => {
            let names: Vec<_> = sink.fields.iter().map(|field| field.name()).collect();
            names.join(", ")
        }
        SinkShape::Crm => "email, domain, sub, emailVerified, source, timestamp".to_owned(),
    }
}
