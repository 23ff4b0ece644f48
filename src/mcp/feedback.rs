//! `submit_documentation_feedback`: what a person wants the writers to know.
//!
//! Where feedback goes is not this room's matter: whoever keeps it implements [`FeedbackBox`].

use std::error::Error;
use std::pin::Pin;

use rmcp::model::{Tool as Definition, ToolAnnotations};
use schemars::JsonSchema;
use serde::Serialize;
use url::Url;

use crate::mcp::argument::{Arguments, Choice, Text, input_schema};
use crate::mcp::caller::Caller;
use crate::mcp::reply::{Failure, Reply};

/// What a feedback is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Category {
    /// Something on a page is wrong.
    Bug,
    /// Something is missing.
    DocumentationGap,
    /// Something the product should do.
    FeatureRequest,
    /// Anything else.
    Other,
}

impl Category {
    /// Every category.
    pub const ALL: [Self; 4] =
        [Self::Bug, Self::DocumentationGap, Self::FeatureRequest, Self::Other];

    /// The word in the arguments, and in what is stored.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bug => "bug",
            Self::DocumentationGap => "documentation_gap",
            Self::FeatureRequest => "feature_request",
            Self::Other => "other",
        }
    }
}

/// A feedback, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Feedback {
    /// The person's words, 1 to 20,000 characters.
    pub text: String,
    /// What it is about.
    pub category: Category,
    /// The page it is about, an http or https address.
    pub page_url: Option<Url>,
}

/// What became of a feedback.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FeedbackStatus {
    /// Kept, and not handed on yet.
    Stored,
    /// Tried to hand on, and tried again until it is.
    Delivering,
    /// Handed on to where the writers read it.
    Delivered,
    /// Kept, and not handed on unless somebody at the server sees to it.
    Failed,
}

impl FeedbackStatus {
    /// The word a client sees.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Stored => "stored",
            Self::Delivering => "delivering",
            Self::Delivered => "delivered",
            Self::Failed => "failed",
        }
    }
}

/// The proof that a feedback arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// Opaque; asks for the status later.
    pub receipt: String,
    /// What has become of it so far.
    pub status: FeedbackStatus,
    /// What the person should know of how it was kept.
    pub notes: Vec<Note>,
}

/// What a person should know of how their feedback was kept. None of it is a refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Note {
    /// The page lies outside of the documentation.
    PageIsForeign,
    /// What looked like a password, token or key was taken out before anything was stored.
    SecretsRemoved,
}

impl Note {
    /// In a sentence, for the assistant.
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::PageIsForeign => {
                "The page is not part of this documentation; the feedback is kept all the same, \
                 and its readers see that."
            }
            Self::SecretsRemoved => {
                "What looked like a password, token or key was removed before it was stored. If it \
                 was a real one, tell the person to replace it."
            }
        }
    }
}

/// Something broke, so that a feedback was not kept. The error is logged, so it must carry neither
/// the text nor an address. How much one person may send is the matter of `limit_mcp`.
#[derive(Debug)]
pub struct FeedbackFault(pub Box<dyn Error + Send + Sync>);

/// What a [`FeedbackBox`] returns: a future, so that the trait can stand behind `dyn`.
pub type Submission<'a> = Pin<Box<dyn Future<Output = Result<Receipt, FeedbackFault>> + Send + 'a>>;

/// What became of a feedback, to its sender; `None` for a receipt that this person was never given.
pub type Lookup<'a> =
    Pin<Box<dyn Future<Output = Result<Option<FeedbackStatus>, FeedbackFault>> + Send + 'a>>;

/// Where feedback goes.
pub trait FeedbackBox: Send + Sync + 'static {
    /// Keeps `feedback` and gives a receipt. A receipt given is a feedback kept.
    fn submit<'a>(&'a self, caller: &'a Caller, feedback: Feedback) -> Submission<'a>;

    /// What has become of the feedback that `caller` got this receipt for.
    fn status<'a>(&'a self, caller: &'a Caller, receipt: &'a str) -> Lookup<'a>;
}

const FEEDBACK: Text = Text {
    name: "feedback",
    description: "The feedback, in the person's words: what they were after, what the \
                  documentation says, what it should say. No passwords, keys or customer data.",
    chars_max: 20_000,
};

const CATEGORY: Choice<Category> = Choice {
    name: "category",
    description: "What it is about.",
    options: &Category::ALL,
    word: Category::name,
};

const PAGE_URL: Text = Text {
    name: "page_url",
    description: "Address of the page it is about, when it is about one.",
    chars_max: 2_000,
};

/// How `tools/list` shows it.
pub fn definition(product: &str) -> Definition {
    let description = format!(
        "Sends feedback about the {product} documentation to its writers, in the name of the \
         person who is signed in. Before you call it, show the person the exact text and get \
         their agreement. Returns a receipt to give to them."
    );
    let annotations = ToolAnnotations::new()
        .read_only(false)
        .destructive(false)
        .idempotent(false)
        .open_world(true);
    let schema = input_schema(&[&FEEDBACK, &CATEGORY], &[&PAGE_URL]);
    Definition::new("submit_documentation_feedback", description, schema)
        .with_title(format!("Send feedback about the {product} documentation"))
        .with_output_schema::<Submitted>()
        .with_annotations(annotations)
}

#[derive(Debug, Serialize, JsonSchema)]
struct Submitted {
    /// Opaque receipt of the feedback.
    receipt: String,
    /// What has become of the feedback so far: stored, delivering, delivered or failed.
    status: &'static str,
    /// What the person should know of how it was kept.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    notes: Vec<&'static str>,
}

/// Answers a call.
pub async fn call(
    feedback_box: &dyn FeedbackBox,
    caller: &Caller,
    arguments: &Arguments,
) -> Result<Reply, Failure> {
    let feedback = read(arguments)?;
    match feedback_box.submit(caller, feedback).await {
        Ok(Receipt { receipt, status, notes }) => {
            let notes: Vec<_> = notes.into_iter().map(Note::sentence).collect();
            let mut text = format!(
                "The feedback has arrived and is {}. Receipt: `{receipt}`. Thank the person, and \
                 give them the receipt; feedback_status tells what has become of it.",
                status.name()
            );
            for note in &notes {
                text.push_str("\n\nNote: ");
                text.push_str(note);
            }
            Reply::new(text, &Submitted { receipt, status: status.name(), notes })
        }
        Err(FeedbackFault(error)) => Err(Failure::Fault(error)),
    }
}

fn read(arguments: &Arguments) -> Result<Feedback, Failure> {
    Ok(Feedback {
        text: FEEDBACK.required(arguments)?.to_owned(),
        category: CATEGORY.required(arguments)?,
        page_url: PAGE_URL.optional(arguments)?.map(web_address).transpose()?,
    })
}

/// Only an address a writer can click on safely: whoever reads feedback trusts its links.
fn web_address(presented: &str) -> Result<Url, Failure> {
    let is_safe = |url: &Url| {
        let is_web = matches!(url.scheme(), "http" | "https");
        is_web && url.username().is_empty() && url.password().is_none()
    };
    Url::parse(presented).ok().filter(is_safe).ok_or_else(|| {
        Failure::Refused(
            "The argument `page_url` must be a full http or https address, such as \
             https://docs.example.com/page. Leave it out when the feedback is about no page."
                .to_owned(),
        )
    })
}
