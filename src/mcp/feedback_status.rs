//! `feedback_status`: what has become of a feedback, to the person who sent it.

use rmcp::model::Tool as Definition;
use schemars::JsonSchema;
use serde::Serialize;

use crate::mcp::argument::{Arguments, Text, input_schema};
use crate::mcp::caller::Caller;
use crate::mcp::feedback::{FeedbackBox, FeedbackFault, FeedbackStatus};
use crate::mcp::reply::{Failure, Reply};
use crate::mcp::tools;

const RECEIPT: Text = Text {
    name: "receipt",
    description: "The receipt that submit_documentation_feedback gave.",
    chars_max: 100,
};

/// How `tools/list` shows it.
pub fn definition(product: &str) -> Definition {
    let description = format!(
        "Tells what has become of feedback about the {product} documentation, by its receipt: \
         stored, delivering, delivered or failed. Only the person who sent it can ask."
    );
    Definition::new("feedback_status", description, input_schema(&[&RECEIPT], &[]))
        .with_title(format!("Status of feedback about the {product} documentation"))
        .with_output_schema::<Status>()
        .with_annotations(tools::reads_only())
}

#[derive(Debug, Serialize, JsonSchema)]
struct Status {
    /// The receipt that was asked about.
    receipt: String,
    /// What has become of the feedback: stored, delivering, delivered or failed.
    status: &'static str,
}

/// Answers a call.
pub async fn call(
    feedback_box: &dyn FeedbackBox,
    caller: &Caller,
    arguments: &Arguments,
) -> Result<Reply, Failure> {
    let receipt = RECEIPT.required(arguments)?;
    match feedback_box.status(caller, receipt).await {
        Ok(Some(status)) => {
            let content = Status { receipt: receipt.to_owned(), status: status.name() };
            Reply::new(in_words(status).to_owned(), &content)
        }
        Ok(None) => Err(Failure::Refused(
            "This person has no feedback with that receipt. Give the `receipt` exactly as \
             submit_documentation_feedback answered it, signed in as the person who sent it."
                .to_owned(),
        )),
        Err(FeedbackFault(error)) => Err(Failure::Fault(error)),
    }
}

const fn in_words(status: FeedbackStatus) -> &'static str {
    match status {
        FeedbackStatus::Stored => "The feedback is stored, and nothing of it is lost.",
        FeedbackStatus::Delivering => {
            "The feedback is stored and on its way to the writers; it could not be handed on at \
             once, and is tried again until it is."
        }
        FeedbackStatus::Delivered => "The feedback was delivered to the writers.",
        FeedbackStatus::Failed => {
            "The feedback is stored, but could not be handed on to the writers. Those who run the \
             server have been told."
        }
    }
}
