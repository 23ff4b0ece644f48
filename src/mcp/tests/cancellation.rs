//! Who hangs up is not worked for: ST-34, SB-26. `notifications/cancelled` has nothing to end here
//! (each request is answered on its own connection, by whichever replica has it) and is accepted
//! without a word: see [`super::envelopes`].

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::Notify;

use super::world::{Call, World};
use crate::mcp::caller::Caller;
use crate::mcp::feedback::{Feedback, FeedbackBox, FeedbackFault, Lookup, Submission};

const SOON: Duration = Duration::from_secs(10);

/// A letter box that takes as long as it is held, and says when it begins and when it is left.
#[derive(Default)]
struct Slow {
    begun: Notify,
    let_go: Notify,
    left: Notify,
    taken: Notify,
}

struct Leaves<'a>(&'a Notify);

impl Drop for Leaves<'_> {
    fn drop(&mut self) {
        self.0.notify_one();
    }
}

impl Slow {
    async fn wait(&self) {
        let _leaves = Leaves(&self.left);
        self.begun.notify_one();
        self.let_go.notified().await;
        self.taken.notify_one();
    }
}

impl FeedbackBox for Slow {
    fn submit<'a>(&'a self, _: &'a Caller, _: Feedback) -> Submission<'a> {
        Box::pin(async {
            self.wait().await;
            Err(FeedbackFault("nobody reads this".into()))
        })
    }

    fn status<'a>(&'a self, _: &'a Caller, _: &'a str) -> Lookup<'a> {
        Box::pin(async {
            self.wait().await;
            Ok(None)
        })
    }
}

/// Hangs up in the middle of a call.
async fn hang_up(slow: &Arc<Slow>, call: Call) {
    let world = World::with_box(Arc::clone(slow) as _);
    let begun = tokio::time::timeout(SOON, slow.begun.notified());
    tokio::select! {
        answer = world.send(call) => panic!("answered: {}", answer.json),
        begun = begun => begun.expect("the tool is called"),
    }
}

fn of_both_eras(name: &str, arguments: &Value) -> [Call; 2] {
    let params = json!({ "name": name, "arguments": arguments });
    [Call::modern("tools/call", params.clone()), Call::legacy("tools/call", params)]
}

#[tokio::test]
async fn a_client_that_hangs_up_frees_the_work_st_34() {
    for call in of_both_eras("feedback_status", &json!({ "receipt": "fb_1" })) {
        let slow = Arc::default();
        hang_up(&slow, call).await;
        tokio::time::timeout(SOON, slow.left.notified()).await.expect("the work ends");
    }
}

#[tokio::test]
async fn feedback_is_taken_whoever_waits_for_the_receipt() {
    let arguments = json!({ "feedback": "Nice.", "category": "other" });
    for call in of_both_eras("submit_documentation_feedback", &arguments) {
        let slow = Arc::default();
        hang_up(&slow, call).await;
        slow.let_go.notify_one();
        tokio::time::timeout(SOON, slow.taken.notified()).await.expect("it is taken");
    }
}
