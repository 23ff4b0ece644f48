//! `gatehouse check`, as far as other servers go: each is asked for its tools, and what the
//! settings name must be there.

use std::sync::Arc;

use serde_json::Value;

use crate::cli::say;
use crate::clock::SystemClock;
use crate::config::Config;
use crate::config::remote::RemoteConfig;
use crate::config::remote_tool::ToolConfig;
use crate::remote::supplier::Supplier;

/// Whether all of them answer and have what is offered of them.
pub async fn remotes(config: &Config) -> bool {
    let mut all_pass = true;
    for (number, remote) in config.remotes.iter().enumerate() {
        let what = format!("remote[{number}] ({})", remote.name);
        match examine(remote).await {
            Ok(revision) => say(format!("ok    {what}: it answers, in revision {revision}")),
            Err(faults) => {
                all_pass = false;
                for Fault { where_, what: fault, advice } in faults {
                    say(format!("FAIL  {what}{where_}: {fault}"));
                    say(format!("      {advice}"));
                }
            }
        }
    }
    all_pass
}

struct Fault {
    where_: String,
    what: String,
    advice: String,
}

async fn examine(remote: &RemoteConfig) -> Result<String, Vec<Fault>> {
    let supplier = Supplier::new(remote.clone(), Arc::new(SystemClock));
    let (revision, tools) = supplier.examine().await.map_err(|fault| {
        let advice = "Is the address that of its MCP endpoint, and is the credential right?";
        vec![Fault { where_: String::new(), what: fault.to_string(), advice: advice.into() }]
    })?;
    let faults: Vec<_> = remote
        .tools
        .iter()
        .enumerate()
        .flat_map(|(number, tool)| against(number, tool, &tools))
        .collect();
    if faults.is_empty() { Ok(revision) } else { Err(faults) }
}

/// What the settings of a tool say that the server does not.
fn against(number: usize, config: &ToolConfig, tools: &[Value]) -> Vec<Fault> {
    let fault = |key: &str, what: String, advice: String| Fault {
        where_: format!(" tool[{number}].{key}"),
        what,
        advice,
    };
    let Some(tool) = tools.iter().find(|tool| tool["name"] == config.remote) else {
        let names: Vec<_> = tools.iter().filter_map(|tool| tool["name"].as_str()).collect();
        let what = format!("it has no tool {:?}", config.remote);
        return vec![fault("remote", what, format!("Its tools are: {}.", names.join(", ")))];
    };
    let schema = &tool["inputSchema"];
    let known = schema["properties"].as_object();
    let sent = |name: &str| config.arguments.iter().any(|(sent, _)| sent == name);
    let mut faults = Vec::new();
    for (name, _) in &config.arguments {
        // Only a schema that is closed says that there are no others.
        let is_closed = schema["additionalProperties"] == false;
        if is_closed && known.is_some_and(|known| !known.contains_key(name)) {
            let key = format!("arguments.{name}");
            let names: Vec<_> = known.into_iter().flat_map(|known| known.keys()).cloned().collect();
            let advice = format!("Its arguments are: {}.", names.join(", "));
            faults.push(fault(&key, "the tool has no such argument".into(), advice));
        }
    }
    for name in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        if !sent(name) {
            let what = format!("the tool wants an argument {name:?}");
            let advice = format!("Add arguments.{name} with from, template or value.");
            faults.push(fault("arguments", what, advice));
        }
    }
    // MCP 2026-07-28: such an argument has to be repeated in a header, which is not done here.
    if schema.to_string().contains("\"x-mcp-header\"") {
        let what = "the tool wants arguments repeated in headers (x-mcp-header)".to_owned();
        faults.push(fault("remote", what, "Such a tool cannot be offered here.".into()));
    }
    faults
}
