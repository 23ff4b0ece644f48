//! Tools that another server answers, alone or beside the local index.
//!
//! When it does not answer, the local index does in its place where it can, and says so; a tool
//! that only the other server has tells the model what to do. Nothing of what the other server says
//! about a failure is passed on.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use rmcp::model::{JsonObject, Tool as Definition};
use schemars::JsonSchema;
use serde::Serialize;
use tokio::task::JoinSet;
use tracing::Instrument as _;

use crate::config::remote_tool::{Place, ToolConfig};
use crate::docs::library::{Library, SearchQuery};
use crate::mcp::argument::Arguments;
use crate::mcp::caller::Caller;
use crate::mcp::merge;
use crate::mcp::pages::Origin;
use crate::mcp::reply::{Failure, Finding, Reply};
use crate::mcp::sections::{self, LOCAL, Section, Sections};
use crate::mcp::{ask, get_api_content, inputs, list_api_pages, search, search_api, tools};
use crate::reference::library::Reference;
use crate::remote::answer::ToolAnswer;
use crate::remote::fault::NoAnswer;
use crate::remote::supplier::Person;
use crate::remote::{RemoteTool, Remotes};

/// How long a search waits for sources beside the local index, which has answered long before.
pub const SEARCH_AT_MOST: Duration = Duration::from_secs(4);

/// The most characters of a text that is passed on as it is.
const TEXT_CHARS_MAX: usize = 40_000;

/// The answer of a tool that only another server has.
#[derive(Debug, Serialize, JsonSchema)]
struct PassedOn {
    /// Which server answered.
    source: String,
    /// What it answered.
    text: String,
}

/// How `tools/list` shows a tool that is not one of ours.
pub fn definition(config: &ToolConfig) -> Definition {
    let name = config.offered.name().to_owned();
    let description = config.description.clone().unwrap_or_default();
    Definition::new(name, description, inputs::schema(config.offered.inputs_of_new()))
        .with_title(config.title.clone().unwrap_or_default())
        .with_annotations(tools::reads_elsewhere())
        .with_output_schema::<PassedOn>()
}

/// What can answer in this house.
#[derive(Clone)]
pub struct House {
    /// The documentation.
    pub library: Arc<Library>,
    /// The API reference.
    pub reference: Arc<Reference>,
    /// Other servers.
    pub remotes: Arc<Remotes>,
}

/// Answers a call of a tool of ours that another server stands in for, or adds to.
pub async fn answer(
    place: Place,
    house: House,
    caller: Caller,
    arguments: Arguments,
) -> Result<Reply, Failure> {
    let shape = match place {
        Place::Ask => return ask(house, caller, arguments).await,
        Place::SearchDocs => return search(house, caller, arguments).await,
        Place::ListApiReferencePages => Shape {
            place,
            inputs: list_api_pages::inputs,
            of_elsewhere: list_api_pages::of_elsewhere,
            here: list_api_pages::call,
        },
        Place::SearchApiReference => Shape {
            place,
            inputs: search_api::inputs,
            of_elsewhere: search_api::of_elsewhere,
            here: search_api::call,
        },
        Place::GetApiReferenceContent => Shape {
            place,
            inputs: get_api_content::inputs,
            of_elsewhere: get_api_content::of_elsewhere,
            here: get_api_content::call,
        },
    };
    shape.answer(house, caller, arguments).await
}

/// A tool of the API reference.
struct Shape {
    place: Place,
    inputs: fn(&Arguments) -> Result<JsonObject, Failure>,
    of_elsewhere: fn(ToolAnswer, &str) -> Result<Reply, Failure>,
    here: fn(&Reference, &Arguments, Option<Origin>) -> Result<Reply, Failure>,
}

impl Shape {
    /// The other server does, or else what is here, if the settings name documents: those that are
    /// compiled in are about this server, which nobody asked for.
    async fn answer(
        self,
        house: House,
        caller: Caller,
        arguments: Arguments,
    ) -> Result<Reply, Failure> {
        let tool = only(&house.remotes, self.place);
        let inputs = (self.inputs)(&arguments)?;
        let source = tool.supplier_name();
        let no_answer = match call(tool, &inputs, &caller, Duration::MAX).await {
            Ok(answer) => return (self.of_elsewhere)(answer, source),
            Err(NoAnswer::Unusable(input)) => return Err(unusable(&input)),
            Err(no_answer) => no_answer,
        };
        if house.reference.is_of_settings() {
            let why = in_short(source, &no_answer, "call");
            let note = Some(format!("{why}; this server's own copy answers in its place."));
            let origin = Some(Origin { source: Some(LOCAL.to_owned()), note });
            let here = move || (self.here)(&house.reference, &arguments, origin);
            let answer = tokio::task::spawn_blocking(here).await.map_err(Failure::fault)?;
            if !matches!(answer, Err(Failure::Refused(_))) {
                return answer;
            }
        }
        Err(silent(source, &no_answer))
    }
}

/// Answers a question: the other server does, or else the local index.
async fn ask(house: House, caller: Caller, arguments: Arguments) -> Result<Reply, Failure> {
    let tool = only(&house.remotes, Place::Ask);
    let inputs = ask::inputs(&arguments)?;
    let source = tool.supplier_name();
    let note = match call(tool, &inputs, &caller, Duration::MAX).await {
        Ok(answer) => {
            let mut sections = of_answer(answer, source);
            sections.truncate(ask::SECTIONS_MAX);
            let sections = merge::within(sections, ask::CHARS_MAX);
            return sections::reply(&Sections {
                sections,
                source: Some(source.into()),
                note: None,
            });
        }
        Err(NoAnswer::Unusable(input)) => return Err(unusable(&input)),
        Err(no_answer) => in_short(source, &no_answer, "question"),
    };
    let question = ask::question(&arguments)?.to_owned();
    let sections = consult(house.library, question, ask::SECTIONS_MAX, ask::CHARS_MAX).await?;
    let note = Some(format!("{note}; this server's own index answers in its place."));
    sections::reply(&Sections { sections, source: Some(LOCAL.into()), note })
}

/// Searches the local index and every other source at once.
async fn search(house: House, caller: Caller, arguments: Arguments) -> Result<Reply, Failure> {
    let House { library, remotes, .. } = house;
    let asked = search::Asked::read(&arguments)?;
    let mut others = JoinSet::new();
    for (number, tool) in remotes.in_place_of(Place::SearchDocs).enumerate() {
        let (tool, inputs, caller) = (Arc::clone(tool), asked.inputs(), caller.clone());
        let call = async move { (number, call(&tool, &inputs, &caller, SEARCH_AT_MOST).await) };
        others.spawn(call.in_current_span());
    }
    // Texts are cut when all of them are there.
    let local = consult(library, asked.query.to_owned(), asked.limit, search::CHARS_MAX).await?;
    let answers: BTreeMap<_, _> = others.join_all().await.into_iter().collect();
    let (mut lists, mut silent) = (vec![local], Vec::new());
    for (tool, (_, answer)) in remotes.in_place_of(Place::SearchDocs).zip(answers) {
        match answer {
            Ok(answer) => lists.push(of_answer(answer, tool.supplier_name())),
            Err(_) => silent.push(tool.supplier_name()),
        }
    }
    let note = (!silent.is_empty())
        .then(|| format!("Not searched, for they do not answer just now: {}.", silent.join(", ")));
    let sections = merge::merged(lists, asked.limit, asked.max_chars);
    sections::reply(&Sections { sections, source: None, note })
}

/// Calls a tool that only the other server has.
pub async fn pass_on(
    tool: Arc<RemoteTool>,
    caller: Caller,
    arguments: Arguments,
) -> Result<Reply, Failure> {
    let inputs = inputs::read(tool.config.offered.inputs_of_new(), &arguments)?;
    let source = tool.supplier_name();
    let answer = match call(&tool, &inputs, &caller, Duration::MAX).await {
        Ok(answer) => answer,
        Err(NoAnswer::Unusable(input)) => return Err(unusable(&input)),
        Err(no_answer) => return Err(silent(source, &no_answer)),
    };
    let text: String = answer.text.chars().take(TEXT_CHARS_MAX).collect();
    let shown = match text.trim() {
        "" => format!("{source} found nothing. Try other words or arguments."),
        _ => text.clone(),
    };
    let finding = Finding { results: usize::from(!text.trim().is_empty()), top_score: None };
    let reply = Reply::new(shown, &PassedOn { source: source.into(), text })?;
    Ok(reply.with_finding(finding))
}

/// The one tool in a place that is never shared.
fn only(remotes: &Remotes, place: Place) -> &Arc<RemoteTool> {
    let tool = remotes.in_place_of(place).next();
    tool.expect("it is asked because it is there, and the settings never change")
}

fn in_short(source: &str, no_answer: &NoAnswer, what: &str) -> String {
    match no_answer {
        NoAnswer::Refused | NoAnswer::Unusable(_) => format!("{source} did not take this {what}"),
        NoAnswer::Resting | NoAnswer::Fault(_) => format!("{source} does not answer just now"),
    }
}

/// What a model learns where nobody answers.
fn silent(source: &str, no_answer: &NoAnswer) -> Failure {
    match no_answer {
        NoAnswer::Refused | NoAnswer::Unusable(_) => Failure::Refused(format!(
            "{source} did not take this call. Check the arguments: names and addresses must be \
             such as it gave itself. If they are, it has no answer; look with search_docs."
        )),
        NoAnswer::Resting | NoAnswer::Fault(_) => Failure::Unavailable(format!(
            "{source}, which answers this tool, does not answer just now. Do not repeat the call \
             at once: look with search_docs, or try it again in a minute."
        )),
    }
}

async fn call(
    tool: &RemoteTool,
    inputs: &JsonObject,
    caller: &Caller,
    at_most: Duration,
) -> Result<ToolAnswer, NoAnswer> {
    let person = caller.person.as_ref().and_then(|person| {
        let email = person.email.as_deref()?;
        let organization = person.organization.as_ref().map(|it| it.name.as_str());
        Some(Person { subject: &person.subject, email, organization })
    });
    tool.call(inputs, person, at_most).await
}

/// Asks the local index on a thread that may be busy.
async fn consult(
    library: Arc<Library>,
    text: String,
    limit: usize,
    max_chars: usize,
) -> Result<Vec<Section>, Failure> {
    let search = move || {
        let query = SearchQuery { text: &text, limit, max_chars };
        sections::found(&library, &query).map(sections::from_here)
    };
    tokio::task::spawn_blocking(search).await.map_err(Failure::fault)?
}

fn of_answer(answer: ToolAnswer, source: &str) -> Vec<Section> {
    (1_u32..)
        .zip(answer.sections)
        .map(|(place, section)| Section {
            title: section.title,
            url: section.url,
            text: section.text,
            score: (10_000.0 / f64::from(place)).round() / 10_000.0,
            source: Some(source.to_owned()),
            ..Section::default()
        })
        .collect()
}

fn unusable(input: &str) -> Failure {
    Failure::Refused(format!("The argument `{input}` cannot be used as it is. Give a plain name."))
}
