//! `whoami` and `disconnect`: a person asks their assistant who it is here, and how to end that.
//!
//! Neither changes anything. To disconnect, the person confirms in their own browser: an assistant
//! can be talked into anything by a page it reads.
//!
//! Nor does `whoami` tell a client more than its access token does: the address is for those that
//! were allowed `email`, name and organization (with where that is known from) for those that were
//! allowed `profile`. Otherwise any program that somebody allowed to read would
//! learn who they are.

use rmcp::model::Tool as Definition;
use schemars::JsonSchema;
use serde::Serialize;

use crate::mcp::argument::input_schema;
use crate::mcp::caller::{Caller, Grant, Person};
use crate::mcp::reply::{Failure, Reply};
use crate::mcp::tools::reads_only;

/// What of calls is kept beside their number, as the operator decided.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Keeping {
    /// What is searched for and asked.
    pub queries: bool,
    /// What the person wants, as their assistant puts it; tools ask for it then.
    pub context: bool,
}

/// What this server keeps of a person who connects a program.
fn kept(keeping: Keeping) -> Vec<&'static str> {
    let mut kept = vec![
        "e-mail address, name and organization, as the identity provider reports them; without an \
         organization there, that of the address's domain",
        "which organizations that were before, and since when",
        "which programs were allowed, for what, and when",
        "how often which tool was called, on which day and with which program",
        "feedback that was sent",
    ];
    if keeping.context {
        kept.push("what the person wants to achieve, where a call says it");
    }
    if keeping.queries {
        kept.push("searches and questions");
        kept.push("not kept: pages read");
    } else {
        kept.push("not kept: searches, questions and pages read");
    }
    kept
}

/// How `tools/list` shows `whoami`.
pub fn definition_of_whoami(product: &str) -> Definition {
    let description = format!(
        "Says who is signed in to the {product} documentation through this connection, as far as \
         this client may see it, which client that is, what it may do and what is kept. Call it \
         when the person asks about their account, their data or this connection. It takes no \
         arguments."
    );
    Definition::new("whoami", description, input_schema(&[], &[]))
        .with_title(format!("Who is signed in to the {product} documentation"))
        .with_output_schema::<WhoAmI>()
        .with_annotations(reads_only())
}

/// How `tools/list` shows `disconnect`.
pub fn definition_of_disconnect(product: &str) -> Definition {
    let description = format!(
        "Gives a link on which the person can disconnect this client from the {product} \
         documentation. It ends nothing by itself: show the link, and let the person open it in \
         their browser and confirm there. It takes no arguments."
    );
    Definition::new("disconnect", description, input_schema(&[], &[]))
        .with_title(format!("Disconnect from the {product} documentation"))
        .with_output_schema::<DisconnectLink>()
        .with_annotations(reads_only())
}

#[derive(Debug, Serialize, JsonSchema)]
struct WhoAmI {
    /// The person: stable, opaque.
    subject: String,
    /// Their name, where it is known and this client may see it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    name: Option<String>,
    /// Their e-mail address, where it is known and this client may see it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    email: Option<String>,
    /// Their organization, where it is known and this client may see it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    organization: Option<String>,
    /// Where the organization is known from, in words to the person.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    organization_source: Option<&'static str>,
    /// The client that is connected.
    client_id: String,
    /// What it may do.
    scopes: Vec<&'static str>,
    /// What this server keeps.
    kept: Vec<&'static str>,
    /// Who else is told of the person, and what.
    told_to: Vec<String>,
    /// Where the person sees everything they connected, and ends it; objects to being told of;
    /// takes a copy of their data; and has it erased.
    account_url: String,
}

#[derive(Debug, Serialize, JsonSchema)]
struct DisconnectLink {
    /// Where the person confirms.
    url: String,
}

/// Answers a call of `whoami`.
pub fn whoami(
    caller: &Caller,
    account_url: &str,
    keeping: Keeping,
    told: &[String],
) -> Result<Reply, Failure> {
    let (person, client_id, grant) = signed_in(caller)?;
    let shared = |scope: &str, value: &Option<String>| {
        value.clone().filter(|_| grant.scopes.contains(&scope))
    };
    let organization = person.organization.as_ref().filter(|_| grant.scopes.contains(&"profile"));
    let who = WhoAmI {
        subject: person.subject.clone(),
        name: shared("profile", &person.name),
        email: shared("email", &person.email),
        organization: organization.map(|it| it.name.clone()),
        organization_source: organization.map(|it| it.source),
        client_id: client_id.to_owned(),
        scopes: grant.scopes.clone(),
        kept: kept(keeping),
        told_to: told.to_vec(),
        account_url: account_url.to_owned(),
    };
    let told = |value: &Option<String>| {
        value.clone().unwrap_or_else(|| "not known to this client".to_owned())
    };
    let text = format!(
        "Signed in:\n\n- person: `{}`\n- name: {}\n- e-mail address: {}\n- organization: {}\n\
         - client: `{}`\n- it may: {}\n\nKept here:\n\n- {}\n\nTold to others:\n\n- {}\n\nThe \
         person sees all of it, and every connected program, at <{}>, and can object, take a copy \
         of their data or erase it there.",
        who.subject,
        told(&who.name),
        told(&who.email),
        told(&organization.map(|it| format!("{} ({})", it.name, it.source))),
        who.client_id,
        who.scopes.join(", "),
        who.kept.join("\n- "),
        if who.told_to.is_empty() { "nothing".to_owned() } else { who.told_to.join("\n- ") },
        who.account_url,
    );
    Reply::new(text, &who)
}

/// Answers a call of `disconnect`.
pub fn disconnect(caller: &Caller, account_url: &str) -> Result<Reply, Failure> {
    let (_, _, grant) = signed_in(caller)?;
    let url = format!("{account_url}?disconnect={}", grant.id);
    let text = format!(
        "Nothing has been disconnected yet. Give the person this link: <{url}>. They sign in there \
         if they have to, see which connection it is about, and confirm. After that this server \
         refuses further calls until they connect again."
    );
    Reply::new(text, &DisconnectLink { url })
}

/// What the requirement of both tools promises.
fn signed_in(caller: &Caller) -> Result<(&Person, &str, &Grant), Failure> {
    match (&caller.person, &caller.client_id, &caller.grant) {
        (Some(person), Some(client_id), Some(grant)) => Ok((person, client_id, grant)),
        _ => Err(Failure::fault("the call came from nobody, which the tool rules out")),
    }
}
